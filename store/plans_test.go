package store

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/storetest"
	"belfry/store/uuid"
)

// grown is a store that holds so much that plans are made in earnest, and whose
// plans a test reads.
type grown struct {
	*Store
	t                *testing.T
	db               storetest.Database
	account, webhook uuid.UUID
	from, to         time.Time
	reader           planReader
}

// planReader tells what the database reads for what a test does.
type planReader interface {
	// during gives the plans of all that call asks the database.
	during(call func()) []plan
}

// plan is how the database answers one query.
type plan struct {
	query string
	scans []string // tables that are read whole
	reads int      // rows of large tables that were read, where that is known
	text  string
}

// grownEvents is much more than a search may read at once.
const (
	grownEvents = 30_000
	grownSearch = 3000
)

type anywhere struct{}

func (anywhere) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
}

func newGrown(t *testing.T, db storetest.Database) *grown {
	t.Helper()
	g := openGrown(t, db)
	g.to = time.Now().Add(-time.Hour)
	g.from = g.to.Add(-10 * 24 * time.Hour)
	for i := range 3 {
		g.addWebhook(i)
		events := grownEvents
		if i < 2 { // in among the others
			events /= 20
		}
		storetest.Seed(t, g.db, storetest.Past{Account: g.account, Webhook: g.webhook, Events: events, From: g.from.Add(time.Duration(i) * time.Millisecond), To: g.to, Mixed: true})
	}
	if db.Kind == storetest.KindPostgres {
		_, err := storetest.Raw(t, db).Exec("ANALYZE")
		g.must(err)
	}
	return g
}

// openGrown opens a store that has yet to grow.
func openGrown(t *testing.T, db storetest.Database) *grown {
	t.Helper()
	g := &grown{t: t, db: db}
	if db.Kind == storetest.KindPostgres {
		g.db.URL = explained(t, db.URL)
	}
	s, err := Open(t.Context(), Options{
		DatabaseURL: g.db.URL, DataDir: db.Dir, SecretKey: strings.Repeat("k", 32), Resolver: anywhere{}, Log: slog.New(slog.DiscardHandler),
		SearchRows: grownSearch, Limits: Limits{RatePerMinute: 1_000_000, TestsPerMinute: 1000},
	})
	g.must(err)
	t.Cleanup(func() { s.Close() })
	g.must(s.Migrate(t.Context()))
	g.Store = s
	a, err := s.EnsureDefaultAccount(t.Context())
	g.must(err)
	g.account = a.ID
	if db.Kind == storetest.KindSQLite {
		g.reader = g.sqlitePlans()
	} else {
		g.reader = postgresPlans{g}
	}
	return g
}

// addWebhook adds the nth webhook, which all that follows is of.
func (g *grown) addWebhook(n int) {
	g.t.Helper()
	w, _, _, err := g.CreateWebhook(g.t.Context(), g.account, NewWebhook{URL: fmt.Sprintf("https://a%d.example/", n), Active: true, Secret: SecretChoice{None: true}})
	g.must(err)
	g.webhook = w.ID
}

func (g *grown) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// explained makes Postgres write the plan of each query into its log.
func explained(t *testing.T, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, value := range map[string]string{
		"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0", "auto_explain.log_analyze": "on",
		"auto_explain.log_timing": "off", "auto_explain.log_format": "json", "auto_explain.log_nested_statements": "on",
	} {
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// postgresPlans reads them from the log.
type postgresPlans struct{ g *grown }

// postgresPlan is a node of a plan as auto_explain writes it.
type postgresPlan struct {
	Type    string  `json:"Node Type"`
	Table   string  `json:"Relation Name"`
	Rows    float64 `json:"Actual Rows"`
	Loops   float64 `json:"Actual Loops"`
	Removed float64 `json:"Rows Removed by Filter"`
	Recheck float64 `json:"Rows Removed by Index Recheck"`
	Plans   []postgresPlan
}

var planEntry = regexp.MustCompile(`(?m)^[^\t\n]*\[(\d+)\][^\n]*plan:\n((?:\t[^\n]*\n)+)`)

func (p postgresPlans) during(call func()) []plan {
	u, err := url.Parse(p.g.db.URL)
	p.g.must(err)
	file, err := os.Open(filepath.Join(u.Query().Get("host"), "log"))
	p.g.must(err)
	defer file.Close()
	_, err = file.Seek(0, io.SeekEnd)
	p.g.must(err)
	call()
	log, err := io.ReadAll(file)
	p.g.must(err)
	mine := p.backends()
	var plans []plan
	for _, entry := range planEntry.FindAllSubmatch(log, -1) {
		if !mine[string(entry[1])] {
			continue
		}
		var said struct {
			Query string `json:"Query Text"`
			Plan  postgresPlan
		}
		p.g.must(json.Unmarshal(entry[2], &said))
		one := plan{query: said.Query, text: string(entry[2])}
		said.Plan.read(&one)
		plans = append(plans, one)
	}
	return plans
}

// backends are the processes that work for the store.
func (p postgresPlans) backends() map[string]bool {
	var pids []string
	p.g.must(p.g.Store.db.NewRaw("SELECT pid::text FROM pg_stat_activity WHERE datname = current_database()").Scan(p.g.t.Context(), &pids))
	mine := map[string]bool{}
	for _, pid := range pids {
		mine[pid] = true
	}
	return mine
}

func (n postgresPlan) read(p *plan) {
	if large(n.Table) {
		if n.Type == "Seq Scan" && n.Loops > 0 {
			p.scans = append(p.scans, n.Table)
		}
		if n.Type != "ModifyTable" {
			p.reads += int((n.Rows + n.Removed + n.Recheck) * n.Loops)
		}
	}
	for _, part := range n.Plans {
		part.read(p)
	}
}

func large(table string) bool {
	return table == "deliveries" || table == "events" || table == "attempts" || table == "idempotency_keys"
}

// sqlitePlans asks for the plan of each query that was made.
type sqlitePlans struct {
	g  *grown
	mu sync.Mutex
	on bool
	// asked are the queries in their order.
	asked []string
}

func (g *grown) sqlitePlans() *sqlitePlans {
	p := &sqlitePlans{g: g}
	g.Store.db, g.Store.ro = g.Store.db.WithQueryHook(p), g.Store.ro.WithQueryHook(p)
	return p
}

func (p *sqlitePlans) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (p *sqlitePlans) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.on {
		p.asked = append(p.asked, e.Query)
	}
}

func (p *sqlitePlans) listen(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on, p.asked = on, nil
}

func (p *sqlitePlans) during(call func()) []plan {
	p.listen(true)
	call()
	p.mu.Lock()
	asked := p.asked
	p.mu.Unlock()
	p.listen(false)
	// Statements of batches are prepared once, past the hook.
	p.g.Store.d.(*sqliteDB).statements.Range(func(query, _ any) bool {
		asked = append(asked, query.(string))
		return true
	})
	p.g.Store.d.(*sqliteDB).reads.Range(func(query, _ any) bool {
		asked = append(asked, numbered(query.(string)))
		return true
	})
	conn := storetest.Raw(p.g.t, p.g.db)
	var plans []plan
	for _, query := range asked {
		if !regexp.MustCompile(`(?i)^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)`).MatchString(query) {
			continue
		}
		rows, err := conn.Query("EXPLAIN QUERY PLAN "+query, blanks(query)...)
		if err != nil {
			p.g.t.Fatalf("%v: %s", err, query)
		}
		one := plan{query: query}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			p.g.must(rows.Scan(&id, &parent, &unused, &detail))
			one.text += detail + "\n"
		}
		p.g.must(rows.Close())
		one.scans = sqliteScans(query, one.text)
		plans = append(plans, one)
	}
	return plans
}

var placeholder = regexp.MustCompile(`\?(\d*)`)

// blanks are as many arguments as a prepared statement takes.
func blanks(query string) []any {
	n, most := 0, 0
	for _, found := range placeholder.FindAllStringSubmatch(query, -1) {
		n++
		if i, err := strconv.Atoi(found[1]); err == nil {
			most = max(most, i)
		}
	}
	if most > 0 {
		n = most
	}
	return make([]any, n)
}

var (
	sqliteAlias = regexp.MustCompile(`(?i)\b(?:FROM|JOIN|UPDATE|,)\s+"?(deliveries|events|attempts)"?(?:\s+AS)?\s+"?(\w+)"?`)
	sqliteScan  = regexp.MustCompile(`(?m)^SCAN (\w+)(.*)$`)
	sqliteBound = regexp.MustCompile(`\((\S+id) >=? '`)
	sqliteBuilt = regexp.MustCompile(`(?m)^SEARCH (\w+) (USING AUTOMATIC .*)$`)
)

// sqliteScans gives the large tables that a plan reads whole, and what it builds
// an index of for one query: a few rows, but looked up for each of many; and ids
// that are bounded twice, as it may walk the index by the bound that leaves out
// less. What is under way is few, so its index may be read.
func sqliteScans(query, text string) (scans []string) {
	tables := map[string]string{"deliveries": "deliveries", "events": "events", "attempts": "attempts"}
	for _, found := range sqliteAlias.FindAllStringSubmatch(query, -1) {
		tables[found[2]] = found[1]
	}
	for _, found := range sqliteScan.FindAllStringSubmatch(text, -1) {
		if table := tables[found[1]]; table != "" && !strings.Contains(found[2], "deliveries_leased") {
			scans = append(scans, table+found[2])
		}
	}
	bounds := map[string]int{}
	for _, found := range sqliteBound.FindAllStringSubmatch(strings.ReplaceAll(query, `"`, ""), -1) {
		if bounds[found[1]]++; bounds[found[1]] > 1 {
			scans = append(scans, found[1]+" bounded twice")
		}
	}
	for _, found := range sqliteBuilt.FindAllStringSubmatch(text, -1) {
		scans = append(scans, found[1]+" "+found[2])
	}
	return scans
}
