package static

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func get(t *testing.T, method, path string) *http.Response {
	t.Helper()
	rec := httptest.NewRecorder()
	Handler(nil).ServeHTTP(rec, httptest.NewRequest(method, path, nil))
	return rec.Result()
}

func TestFilesAreServedToBeKeptForEver(t *testing.T) {
	types := map[string]string{
		"app.css": "text/css", "app.js": "text/javascript", "htmx.js": "text/javascript",
		"icons.svg": "image/svg+xml", "favicon.svg": "image/svg+xml",
	}
	for name, want := range types {
		res := get(t, http.MethodGet, Path(name))
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", name, res.StatusCode)
		}
		if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: content type %q, want %q", name, got, want)
		}
		if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: cache control %q", name, got)
		}
	}
}

func TestOtherHashesNamesAndMethodsAreRefused(t *testing.T) {
	right := Path("app.css")
	cases := []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/static/0000000000000000/app.css", http.StatusNotFound},
		{http.MethodGet, strings.Replace(right, "app.css", "static.go", 1), http.StatusNotFound},
		{http.MethodGet, strings.Replace(right, "app.css", "../app.css", 1), http.StatusNotFound},
		{http.MethodPost, right, http.StatusMethodNotAllowed},
		{http.MethodHead, right, http.StatusOK},
	}
	for _, c := range cases {
		if got := get(t, c.method, c.path).StatusCode; got != c.want {
			t.Errorf("%s %s: status %d, want %d", c.method, c.path, got, c.want)
		}
	}
}

func TestUnknownNamesPanic(t *testing.T) {
	for name, call := range map[string]func(){
		"file": func() { Path("nothing.css") },
		"icon": func() { IconPath("nothing") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}

func TestTheSpriteHoldsEveryIconWithAShape(t *testing.T) {
	sprite := string(load().files["icons.svg"])
	for _, name := range Icons() {
		_, rest, ok := strings.Cut(sprite, `<symbol id="`+name+`" viewBox="0 0 24 24">`)
		if !ok || !strings.HasPrefix(rest, "<") || strings.HasPrefix(rest, "</symbol>") {
			t.Errorf("icon %s has no shape", name)
		}
	}
}

func TestVendoredFilesAreTheOnesListed(t *testing.T) {
	list, err := os.ReadFile("vendor.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 4 {
			t.Fatalf("vendor.txt: %q does not have four columns", line)
		}
		content, err := os.ReadFile("vendor/" + fields[1])
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != fields[0] {
			t.Errorf("%s has sha256 %s, vendor.txt says %s", fields[1], got, fields[0])
		}
		listed["vendor/"+fields[1]] = true
	}
	err = fs.WalkDir(os.DirFS("."), "vendor", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !listed[path] {
			t.Errorf("%s is not in vendor.txt", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesGoCompressedToWhoReadsThat(t *testing.T) {
	for _, reads := range []bool{true, false} {
		rec := httptest.NewRecorder()
		Handler(func(*http.Request) bool { return reads }).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, Path("app.css"), nil))
		body := io.Reader(rec.Body)
		if got := rec.Header().Get("Content-Encoding") == "gzip"; got != reads {
			t.Fatalf("compressed: %v, want %v", got, reads)
		}
		if reads {
			unpacked, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = unpacked
		}
		content, err := io.ReadAll(body)
		if err != nil || string(content) != string(load().files["app.css"]) {
			t.Errorf("what arrives is not the file (%v)", err)
		}
		if rec.Header().Get("Vary") != "Accept-Encoding" {
			t.Error("a cache between may give the compressed file to everybody")
		}
	}
}
