package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// superuser is the database user of the private cluster.
const superuser = "postgres"

// errNotInstalled says what a person must do to get the Postgres tests.
var errNotInstalled = errors.New("PostgreSQL's initdb and postgres were not found: run `make deps`, " +
	"or install the package postgresql")

// server is a private Postgres process and its folder.
type server struct {
	dir string // holds the data folder, the socket and the log
	// lifeline is held open for as long as this process lives, and the server
	// stops when it closes. What is written to it are orders to the keeper.
	lifeline io.WriteCloser
	// answers are what the keeper says, a line for each order.
	answers *bufio.Reader
}

// hasty are the settings of a cluster for tests. Durability is not what they
// are about, so nothing waits for the disk, and doctor finds it at fault;
// synchronous_commit keeps its production value, which changes what is written.
func hasty() []string {
	return []string{"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=on", "-c", "shared_buffers=64MB"}
}

// keeper runs initdb and postgres in the folder $1 with the programs of the
// folder $2 and the settings that follow. It says "ready" when the server
// accepts connections, or else the last lines of the log. Then it takes orders,
// a word a line, and answers each with the word once it is done: "stop" ends the
// server in order, "crash" at once, "start" starts it again. When its standard
// input ends, which it does however the test process dies, it stops the server
// at once and removes the folder.
const keeper = `
dir=$1 bin=$2
shift 2
trap 'rm -rf "$dir"' EXIT
exec 3>&1 >"$dir/log" 2>&1
fail() { tail -n 5 "$dir/log" >&3; exit 1; }
"$bin/initdb" -D "$dir/data" -U ` + superuser + ` -A trust -E UTF8 --locale=C --no-sync </dev/null || fail
run() {
	"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=200 "$@" 3>&- </dev/null &
	server=$!
	tries=0
	until grep -qs '^ready' "$dir/data/postmaster.pid"; do
		tries=$((tries + 1))
		if ! kill -0 $server; then fail; fi
		if [ $tries -gt 1500 ]; then kill -QUIT $server; wait $server; fail; fi
		sleep 0.02
	done
}
end() {
	kill -"$1" $server
	wait $server
}
run "$@"
echo ready >&3
while read -r order; do
	case $order in
	stop) end INT ;;
	crash) end QUIT ;;
	start) run "$@" ;;
	esac
	echo "$order" >&3
done
end QUIT
`

// startServer makes a cluster with these settings in a new folder below parent
// (empty: where temporary files are), and waits until it accepts connections.
func startServer(ctx context.Context, parent string, settings []string) (*server, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	identity, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "belfry-pg-")
	if err != nil {
		return nil, err
	}
	if identity != nil {
		if err := os.Chown(dir, int(identity.Uid), int(identity.Gid)); err != nil {
			return nil, err
		}
	}
	return keep(ctx, dir, bin, settings, identity)
}

// keep starts the keeper and waits for its word.
func keep(ctx context.Context, dir, bin string, settings []string, identity *syscall.Credential) (*server, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", keeper, "belfry-test-postgres", dir, bin}, settings...)...)
	cmd.Dir = dir
	// A session of its own: an interrupt typed at the tests must not reach
	// Postgres before the keeper can clean up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: identity, Setsid: true}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	word, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	// Closing the lifeline ends the wait for the word, and the server with it.
	stop := context.AfterFunc(ctx, func() { _ = lifeline.Close() })
	s := &server{dir: dir, lifeline: lifeline, answers: bufio.NewReader(word)}
	err = s.hear("ready")
	if !stop() || err != nil {
		_ = lifeline.Close()
		return nil, errors.Join(fmt.Errorf("a private Postgres did not start: %w", err), ctx.Err())
	}
	return s, nil
}

// order has the keeper do what the word says, and waits until it is done.
func (s *server) order(word string) error {
	if _, err := io.WriteString(s.lifeline, word+"\n"); err != nil {
		return err
	}
	return s.hear(word)
}

// hear waits for the keeper's word; anything else it says is the error.
func (s *server) hear(word string) error {
	said, err := s.answers.ReadString('\n')
	if said == word+"\n" {
		return nil
	}
	rest, _ := io.ReadAll(s.answers)
	return errors.Join(errors.New(said+string(rest)), err)
}

// findBinaries gives the folder that holds initdb and postgres. Debian keeps
// them out of PATH, in a folder per version; the newest wins.
func findBinaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errNotInstalled
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

// version reads the major version out of /usr/lib/postgresql/15/bin/initdb.
func version(path string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	if err != nil {
		return 0
	}
	return n
}

// unprivileged gives the user to run Postgres as: nil for ourselves, or the
// package's own user where we are root, which initdb refuses to run as.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w (no user postgres: %w)", errNotInstalled, err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
