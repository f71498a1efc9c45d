package main

import "syscall"

// dieWithParent stops a child when we are killed in a way that leaves no time to stop it.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }
