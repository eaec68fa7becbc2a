package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"belfry/store"
)

// minFree is how much room the disk of the data folder must have left.
const minFree = 200 << 20

// doctor looks at everything that must be right and says what is not.
type doctor struct {
	c     *config
	out   io.Writer
	ill   bool
	store *store.Store // nil where the database can't be opened
	// now is the machine's clock, minFree the room that its disk must have left.
	now     func() time.Time
	minFree uint64
}

func newDoctor(c *config, out io.Writer) *doctor {
	return &doctor{c: c, out: out, now: time.Now, minFree: minFree}
}

func prepareDoctor(p *program, _ *flagSet) action {
	return func(ctx context.Context, c *config) error {
		d := newDoctor(c, p.stdout)
		d.examine(ctx)
		if d.ill {
			return errReported
		}
		return nil
	}
}

// check shows one result: what was seen, or the fault.
func (d *doctor) check(name, seen string, fault error) {
	if fault != nil {
		d.ill = true
		fmt.Fprintf(d.out, "FAULT  %-14s %s\n", name, strings.ReplaceAll(explain(fault), "\n", "; "))
		return
	}
	fmt.Fprintf(d.out, "ok     %-14s %s\n", name, seen)
}

// skip shows a check that could not be made.
func (d *doctor) skip(why string, names ...string) {
	for _, name := range names {
		fmt.Fprintf(d.out, "-      %-14s %s\n", name, why)
	}
}

func (d *doctor) examine(ctx context.Context) {
	if len(d.c.faults) > 0 {
		for _, fault := range d.c.faults {
			d.check("settings", "", errors.New(fault))
		}
		d.skip("not checked: the settings are at fault", "data folder", "database", "listening")
		return
	}
	d.check("settings", "all can be read", nil)
	folder, err := d.dataFolder()
	d.check("data folder", folder, err)
	d.keyFile()
	d.disk()
	d.database(ctx, err == nil)
	if d.store != nil {
		defer d.store.Close()
	}
	d.targets(ctx)
	d.listening(ctx, "listening", d.c.addr, "/healthz")
	if d.c.metricsAddr != "" {
		d.listening(ctx, "metrics", d.c.metricsAddr, "/metrics")
	}
}

// dataFolder says whether the folder keeps what it holds to its owner.
func (d *doctor) dataFolder() (string, error) {
	if d.c.databaseURL != "" && d.c.secretKey != "" {
		return "not used with Postgres", nil
	}
	info, err := os.Stat(d.c.dataDir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return d.c.dataDir + " does not exist yet; the first start makes it", nil
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%s is not a folder; choose another one with -data-dir", d.c.dataDir)
	}
	probe, err := os.CreateTemp(d.c.dataDir, ".doctor-")
	if err != nil {
		return "", fmt.Errorf("%s can't be written to: %w", d.c.dataDir, err)
	}
	probe.Close()
	os.Remove(probe.Name())
	for _, name := range []string{"secret.key", "belfry.db"} {
		if err := kept(filepath.Join(d.c.dataDir, name), 0o077); err != nil {
			return "", err
		}
	}
	return d.c.dataDir + " can be written to, and others can't read what is in it", nil
}

// keyFile says whether others may read a key file of the operator's own, which
// may be meant for a group.
func (d *doctor) keyFile() {
	if path := d.c.secretKeyFile; path != "" {
		d.check("key file", "others can't read "+path, kept(path, 0o007))
	}
}

// kept says whether a file is kept from those whom the bits of its mode stand
// for, by itself or by its folder.
func kept(path string, from os.FileMode) error {
	open := func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && info.Mode().Perm()&from != 0
	}
	if open(path) && open(filepath.Dir(path)) {
		return fmt.Errorf("others may read %s: chmod 600 it, or chmod 700 its folder", path)
	}
	return nil
}

func (d *doctor) disk() {
	if d.c.databaseURL != "" {
		d.skip("not checked: the database is elsewhere", "disk")
		return
	}
	var st syscall.Statfs_t
	dir, err := filepath.Abs(d.c.dataDir)
	for err == nil {
		if err = syscall.Statfs(dir, &st); !errors.Is(err, os.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir, err = filepath.Dir(dir), nil
	}
	free := uint64(st.Bavail) * uint64(st.Bsize)
	if err == nil && free < d.minFree {
		err = fmt.Errorf("only %d MB are left for %s; when the disk is full nothing can be accepted", free/1e6, d.c.dataDir)
	}
	d.check("disk", fmt.Sprintf("%.1f GB are left", float64(free)/1e9), err)
}

// listening says whether an address is free, or a Belfry's already: which one
// does not show in its answers.
func (d *doctor) listening(ctx context.Context, name, addr, path string) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		l.Close()
		d.check(name, addr+" is free", nil)
		return
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		d.check(name, "", err)
		return
	}
	if !belfryAnswers(ctx, addr, path) {
		err = fmt.Errorf("another program listens on %s: stop it, or choose another address", addr)
		d.check(name, "", err)
		return
	}
	d.check(name, "a Belfry is served on "+addr+"; whether it is this one is not checked", nil)
}

// belfryAnswers asks an address what only Belfry answers.
func belfryAnswers(ctx context.Context, addr, path string) bool {
	host, port, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return err == nil && answer.StatusCode == http.StatusOK && (string(text) == "ok\n" || strings.Contains(string(text), "belfry_"))
}
