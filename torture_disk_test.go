package main

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"belfry/store/storetest"
)

// disk is a place for files that a test can fill up.
type disk struct {
	t   *testing.T
	dir string
}

// mountDisk gives a small file system of its own until the test ends; ok is
// false where this user may not mount one.
func mountDisk(t *testing.T, size string) (d *disk, ok bool) {
	t.Helper()
	dir, err := os.MkdirTemp("", "belfry-disk-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	err = syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,size="+size)
	if errors.Is(err, syscall.EPERM) {
		return nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return &disk{t: t, dir: dir}, true
}

// fill takes all the room there is.
func (d *disk) fill(*running) {
	d.t.Helper()
	ballast, err := os.Create(filepath.Join(d.dir, "ballast"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer ballast.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err = ballast.Write(block); err != nil {
			block = block[:len(block)/2] // the last pages too
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatalf("the disk is not full: %v", err)
	}
}

// free gives the room back.
func (d *disk) free(*running) {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.dir, "ballast")); err != nil {
		d.t.Fatal(err)
	}
}

// limitFiles lets a process write no file beyond that many bytes; what goes
// beyond fails as on a full disk. It needs no privilege, and does nothing to a
// process that has ended.
func limitFiles(bytes uint64) func(*running) {
	return func(r *running) {
		r.t.Helper()
		var was syscall.Rlimit
		call := func(set, get *syscall.Rlimit) {
			_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(r.process.Pid), syscall.RLIMIT_FSIZE,
				uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 0, 0)
			if errno != 0 && errno != syscall.ESRCH {
				r.t.Fatal(errno)
			}
		}
		call(nil, &was)
		call(&syscall.Rlimit{Cur: min(bytes, was.Max), Max: was.Max}, nil)
	}
}

// runOutOfRoom fills and frees the disk under load, round by round. Every other
// time the process is killed while the disk is full. It gives the last process.
func (d *worstDay) runOutOfRoom(r *running, fill, free func(*running)) *running {
	d.t.Helper()
	for round := range sized(2, 10) {
		d.goesOn()
		fill(r)
		for range 5 {
			d.grows("answers of 503", &d.sender.unavailable)
		}
		d.pause(sized(200*time.Millisecond, 2*time.Second))
		if round%2 == 0 {
			free(r)
			continue
		}
		r.kill()
		d.noteLeft()
		free(r)
		r = spawn(d.t, d.environment, "serve")
		d.sender.to(r.url)
	}
	d.goesOn()
	return r
}

// soundFile checks that SQLite finds no fault in the file.
func soundFile(t *testing.T, db storetest.Database) {
	t.Helper()
	file, err := sql.Open("sqlite", "file:"+filepath.Join(db.Dir, "belfry.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var said string
	if err := file.QueryRow("PRAGMA integrity_check").Scan(&said); err != nil || said != "ok" {
		t.Errorf("the check of the file says %q (%v)", said, err)
	}
}

func TestWorstDayAFullDiskIsA503AndNothingIsLost(t *testing.T) {
	t.Parallel()
	t.Run(storetest.KindSQLite, fillDiskOfSQLite)
	if *torture { // Postgres needs a disk of its own, which only root may mount
		t.Run(storetest.KindPostgres, fillDiskOfPostgres)
	}
}

func fillDiskOfSQLite(t *testing.T) {
	small, ok := mountDisk(t, sized("64m", "512m"))
	db := storetest.SQLite(t)
	if ok {
		db.Dir = filepath.Join(small.dir, "data")
	}
	d := newWorstDay(t, db, []string{steadyHook, slowHook, flakyHook}, nil)
	r := d.begin()
	if ok {
		r = d.runOutOfRoom(r, small.fill, small.free)
		if d.sender.diskFull.Load() == 0 {
			t.Error("no answer said that the disk is full")
		}
	} else {
		t.Log("no small disk can be mounted here, so the size of files is limited")
		r = d.runOutOfRoom(r, limitFiles(4<<10), limitFiles(^uint64(0)))
	}
	d.reckon(r)
	soundFile(t, db)
}

func fillDiskOfPostgres(t *testing.T) {
	small, ok := mountDisk(t, "768m")
	if !ok {
		t.Fatal("no small disk can be mounted for Postgres: run this as root")
	}
	own := storetest.OwnPostgres(t, small.dir)
	d := newWorstDay(t, own.Database, []string{steadyHook, slowHook, flakyHook}, nil)
	r := d.runOutOfRoom(d.begin(), small.fill, func(r *running) {
		small.free(r)
		own.Crash() // where Postgres has not ended by itself, for want of room for its log
		own.Start()
	})
	d.reckon(r)
}
