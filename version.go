package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// next is the release that the source is on its way to.
const next = "0.1.0"

// version is the release this program was built from, or "0.1.0-dev" between
// releases. It stands in the User-Agent of every delivery.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if ok && isRelease(info.Main.Version) {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return next + "-dev"
}

// isRelease tells a release's tag from a version that the go tool made up.
func isRelease(v string) bool {
	return strings.HasPrefix(v, "v") && !strings.ContainsAny(v, "-+")
}

// revision is the commit this program was built from; empty where unknown.
func revision() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	var commit, modified string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	if commit == "" {
		return ""
	}
	return " (commit " + commit + modified + ")"
}

func prepareVersion(p *program, _ *flagSet) action {
	return func(context.Context, *config) error {
		_, err := fmt.Fprintf(p.stdout, "belfry %s%s %s %s/%s\n", version(), revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}
}
