package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"belfry/handlers"
	"belfry/store"
	"belfry/web"
	"belfry/worker"
	"belfry/worker/outbound"
)

// Once the server is to stop, requests to it may go on for answerTime, and then
// those to endpoints for deliverTime: 15 seconds in all, with what it takes to
// record them. An endpoint's time is 10 seconds unless set otherwise.
const (
	answerTime  = 3 * time.Second
	deliverTime = 11 * time.Second
)

// node is one serving process: the rooms, wired.
type node struct {
	log    *slog.Logger
	store  *store.Store
	worker *worker.Worker
	server *web.Server
	url    string // where to open it, without a final slash
	local  string // the same on this machine
}

// garbage is how much the heap may grow before it is collected, in percent of
// what lives: what lives is small, and collecting it often costs more than the
// memory. GOGC in the environment wins.
const garbage = 300

func prepareServe(p *program, _ *flagSet) action {
	return func(ctx context.Context, c *config) error {
		if p.getenv("GOGC") == "" {
			debug.SetGCPercent(garbage)
		}
		lines := &logWriter{w: p.stderr}
		defer lines.Close()
		log := slog.New(slog.NewTextHandler(lines, nil))
		n, err := startNode(ctx, c, log, p.stdout)
		if err != nil {
			return err
		}
		if err := n.welcome(ctx, p.stdout); err != nil {
			return errors.Join(err, n.store.Close())
		}
		warnOfPlainHTTP(c, log)
		return n.run(ctx)
	}
}

// startNode opens and migrates the database, wires the rooms and claims the
// addresses; nothing is served yet. printed is where a new first-run code goes.
func startNode(ctx context.Context, c *config, log *slog.Logger, printed io.Writer) (*node, error) {
	st, err := openToServe(ctx, c, log)
	if err != nil {
		return nil, err
	}
	n := &node{log: log, store: st}
	if err := n.wire(c, printed); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	if err := n.listen(c); err != nil {
		return nil, errors.Join(err, n.server.Shutdown(ctx), st.Close())
	}
	return n, nil
}

// openToServe opens the database, alone where it is SQLite, and brings it up
// to date. A database that is ahead of this program is refused.
func openToServe(ctx context.Context, c *config, log *slog.Logger) (*store.Store, error) {
	opt := c.storeOptions()
	opt.Serve, opt.Log = true, log
	st, err := store.Open(ctx, opt)
	if err != nil {
		return nil, err
	}
	err = st.Migrate(ctx)
	if err == nil {
		err = st.CheckSchema(ctx)
	}
	if err == nil {
		_, err = st.EnsureDefaultAccount(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	if _, err := st.Durability(ctx); err != nil {
		log.Warn("accepted events may be lost; belfry serves nevertheless", "error", err)
	}
	return st, nil
}

// idlePerHost lets many webhooks lead to one host, as those of one automation
// service do, and still keep their connections.
const idlePerHost = 512

// wire makes worker, pages and server of the settings.
func (n *node) wire(c *config, printed io.Writer) error {
	n.worker = worker.New(worker.Options{Store: n.store, Log: n.log, Grace: deliverTime, Client: outbound.New(outbound.Options{
		Targets: c.targets, Resolver: c.resolver, RootCAs: c.trusted, Timeout: n.store.Limits().Timeout, UserAgent: "Belfry/" + version(),
		MaxIdleConnsPerHost: max(idlePerHost, n.store.Limits().InFlight),
	})})
	opt := handlers.Options{
		Store: n.store, Version: version(), Log: n.log, Styleguide: c.styleguide,
		PrintCode: func(code string) {
			fmt.Fprintf(printed, "The code for the first sign-in was wrong too often. The new code: %s\n", code)
		},
	}
	if c.baseURL != nil {
		opt.BaseURL, opt.Secure = c.baseURL.String(), c.baseURL.Scheme == "https"
	}
	pages := handlers.New(opt)
	server, err := web.New(web.Options{BaseURL: c.baseURL, TrustedProxies: c.trustedProxies, ErrorHandler: pages.Error, Log: n.log})
	if err != nil {
		return err
	}
	n.server = server
	pages.Routes(server)
	return server.Registerer().Register(n.worker.Collector())
}

// listen claims the addresses.
func (n *node) listen(c *config) error {
	at, err := n.server.Listen(c.addr)
	if err != nil {
		return explainListen(err, c.addr)
	}
	n.local = openAt(at)
	n.url = n.local
	if c.baseURL != nil {
		n.url = c.baseURL.String()
	}
	if c.metricsAddr == "" {
		return nil
	}
	at, err = n.server.ListenMetrics(c.metricsAddr)
	if err == nil {
		n.log.Info("metrics are served", "url", openAt(at)+"/metrics")
	}
	return err
}

// tryListen says what to do where an address can't be had.
func tryListen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return explainListen(err, addr)
	}
	return l.Close()
}

// explainListen says what to do where an address is taken.
func explainListen(err error, addr string) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	host, port, _ := net.SplitHostPort(addr)
	first, _ := strconv.Atoi(port)
	for try := first + 1; try <= first+20; try++ {
		free := net.JoinHostPort(host, strconv.Itoa(try))
		if l, err := net.Listen("tcp", free); err == nil {
			l.Close()
			return fmt.Errorf("another program listens on %s already: stop it, or choose another address, such as -addr %s", addr, free)
		}
	}
	return fmt.Errorf("another program listens on %s already: stop it, or choose another address with -addr", addr)
}

// openAt is the URL under which a browser on this machine reaches an address.
func openAt(at net.Addr) string {
	tcp, ok := at.(*net.TCPAddr)
	if !ok {
		return "http://" + at.String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}

// welcome prints where to open the server and, while nobody can sign in, how to
// become the first.
func (n *node) welcome(ctx context.Context, w io.Writer) error {
	code, open, err := n.store.WelcomeCode(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Belfry %s is at %s\n", version(), n.url)
	if n.local != n.url {
		fmt.Fprintf(w, "It listens on %s\n", n.local)
	}
	if open {
		fmt.Fprintf(w, "\nNobody can sign in yet. To be the first, open\n\n    %s/welcome\n\nand enter the code\n\n    %s\n\n", n.url, code)
	}
	return nil
}

// warnOfPlainHTTP says that passwords would cross the network in the clear.
func warnOfPlainHTTP(c *config, log *slog.Logger) {
	host, _, _ := net.SplitHostPort(c.addr)
	ip := net.ParseIP(host)
	local := host == "localhost" || ip != nil && ip.IsLoopback()
	if !local && (c.baseURL == nil || c.baseURL.Scheme != "https") {
		log.Warn("this address is reached from other machines by plain http: passwords and keys can be read on the way. "+
			"Put a proxy with TLS before it and set -base-url https://…", "addr", c.addr)
	}
}

// run serves and delivers until ctx ends or serving fails, and then stops in
// order: live streams, new requests, claiming, the POSTs under way and their
// records, the database.
func (n *node) run(ctx context.Context) error {
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	worked, served := make(chan error, 1), make(chan error, 1)
	go func() { worked <- n.worker.Run(working) }()
	go func() { served <- n.server.Serve() }()
	var failed error
	select {
	case <-ctx.Done():
		n.log.Info("stopping: what is under way is finished; a second signal ends this at once")
	case failed = <-served:
	}
	n.stopServing(ctx)
	stopWorking()
	err := errors.Join(failed, <-worked, n.store.Close())
	n.log.Info("stopped")
	return err
}

// stopServing ends live streams, takes no new requests, and lets those under
// way finish for a short time.
func (n *node) stopServing(ctx context.Context) {
	n.server.EndStreams()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	if err := n.server.Shutdown(ctx); err != nil {
		n.log.Warn("requests to this server were cut off", "error", err)
	}
}
