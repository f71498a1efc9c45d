//go:build !linux

package main

import "syscall"

// dieWithParent is Linux's alone; elsewhere a killed run may leave its server behind.
func dieWithParent(*syscall.SysProcAttr) {}
