package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the prefix of our own import paths; the root package has it alone.
const module = "belfry"

// mayImport is the table of ARCHITECTURE.md: every package, and which of our
// own it may import. A package that is not in it is a fault, so that a new room
// is a decision.
var mayImport = map[string][]string{
	"":                 {"handlers", "store", "store/uuid", "web", "worker", "worker/outbound", "worker/outbound/outboundtest", "worker/signature"},
	"handlers":         {"static", "store", "store/uuid", "views", "web", "worker/outbound", "worker/signature"},
	"views":            {"static", "store", "store/uuid"},
	"worker":           {"store", "store/uuid", "worker/outbound", "worker/signature"},
	"store":            {"migrations", "store/uuid", "worker/outbound", "worker/signature"},
	"store/storetest":  {"migrations"},
	"store/uuid":       {},
	"web":              {"store/uuid"},
	"static":           {},
	"migrations":       {},
	"worker/signature": {},
	"worker/outbound":  {},
	// Name servers for tests and the demo.
	"worker/outbound/outboundtest": {},
}

// testsMayImport is what tests may import beyond the table.
var testsMayImport = []string{"store/storetest", "worker/signature", "worker/outbound", "worker/outbound/outboundtest"}

// listed is what `go list -json` tells about a package.
type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestPackagesImportOnlyWhatTheTableAllows(t *testing.T) {
	for _, p := range listPackages(t) {
		room := roomOf(p.ImportPath)
		allowed, known := mayImport[room]
		if !known {
			t.Errorf("package %q is not in the table of rooms", room)
			continue
		}
		refuseOthers(t, room, p.Imports, allowed)
		inTests := append(slices.Concat(allowed, testsMayImport), room)
		refuseOthers(t, room+" (tests)", append(p.TestImports, p.XTestImports...), inTests)
	}
}

// refuseOthers reports each of our own packages among imports that is not allowed.
func refuseOthers(t *testing.T, room string, imports, allowed []string) {
	t.Helper()
	for _, path := range imports {
		if !strings.HasPrefix(path+"/", module+"/") {
			continue
		}
		if other := roomOf(path); !slices.Contains(allowed, other) {
			t.Errorf("%s imports %s, which the table of rooms does not allow", room, other)
		}
	}
}

// TestViewsTakeOnlyTypesFromTheStore keeps pages from asking the database: a
// view may name the store's types and constants and call their methods, but
// none of the store's functions.
func TestViewsTakeOnlyTypesFromTheStore(t *testing.T) {
	functions := map[string]bool{}
	for _, file := range parseFolder(t, "store") {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				functions[f.Name.Name] = true
			}
		}
	}
	for name, file := range parseFolder(t, "views") {
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "store" && functions[sel.Sel.Name] {
				t.Errorf("%s uses the function store.%s; views take types only", name, sel.Sel.Name)
			}
			return true
		})
	}
}

// TestOnlyTheHelpersSkip keeps tests from being skipped silently: the helpers
// that need Postgres or Chromium skip with -short, and say so; nothing else
// does, nor ends a test early where -short is set. What rapid's rt skips is one
// random step, not the test.
func TestOnlyTheHelpersSkip(t *testing.T) {
	allowed := []string{"store/storetest/storetest.go", "browser_harness_test.go", "views/browser_test.go"}
	for path, file := range parseTree(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			if cut, ok := n.(*ast.IfStmt); ok && asksShort(cut.Cond) && returns(cut.Body) {
				t.Errorf("%s returns early with -short: nobody would learn of it", path)
			}
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				return true
			}
			if !slices.Contains(allowed, path) {
				t.Errorf("%s calls %s: a test runs or fails", path, sel.Sel.Name)
			}
			return true
		})
	}
}

// asksShort says whether a condition asks testing.Short.
func asksShort(condition ast.Expr) (asks bool) {
	ast.Inspect(condition, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		asks = asks || ok && sel.Sel.Name == "Short"
		return !asks
	})
	return asks
}

// returns says whether a block itself returns.
func returns(body *ast.BlockStmt) bool {
	return slices.ContainsFunc(body.List, func(s ast.Stmt) bool { _, ok := s.(*ast.ReturnStmt); return ok })
}

// roomOf turns an import path of ours into the table's name for it.
func roomOf(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}

// listPackages gives every package of the module.
func listPackages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// parseFolder parses the Go files of one folder, tests excepted, by path.
func parseFolder(t *testing.T, dir string) map[string]*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no Go files in %s (%v)", dir, err)
	}
	files := map[string]*ast.File{}
	for _, path := range paths {
		if !strings.HasSuffix(path, "_test.go") {
			files[path] = parse(t, path)
		}
	}
	return files
}

// parseTree parses every Go file of the module, tests included, by path.
func parseTree(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".go") {
			files[filepath.ToSlash(path)] = parse(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// parse reads one Go file.
func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
