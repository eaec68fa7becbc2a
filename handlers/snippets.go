package handlers

import (
	"embed"
	"strconv"
	"strings"

	"belfry/views"
)

// snippetFiles are receivers that verify, each a whole program that needs its
// language's standard library only.
//
//go:embed snippets
var snippetFiles embed.FS

// language is one in which a receiver is shown.
type language struct {
	name, label, file, run string
	// quote writes a secret as a literal of the language.
	quote func(string) string
}

func languages() []language {
	return []language{
		{"python", "Python", "receiver.py", "python3 receiver.py", doubleQuoted},
		{"node", "Node", "receiver.mjs", "node receiver.mjs", doubleQuoted},
		{"go", "Go", "receiver.go", "go run receiver.go", strconv.Quote},
		{"php", "PHP", "receiver.php", "php -S 0.0.0.0:8000 receiver.php", singleQuoted},
		{"ruby", "Ruby", "receiver.rb", "ruby receiver.rb", singleQuoted},
		{"java", "Java", "Receiver.java", "java Receiver.java", doubleQuoted},
	}
}

// doubleQuoted is a literal in double quotes; a secret is printable ASCII.
func doubleQuoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// singleQuoted is one in single quotes, where $ and # mean nothing.
func singleQuoted(s string) string {
	return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + `'`
}

// snippets are the receivers with the secret filled in.
func snippets(secret string) []views.Snippet {
	all := make([]views.Snippet, 0, len(languages()))
	for _, l := range languages() {
		text, err := snippetFiles.ReadFile("snippets/" + l.file + ".txt")
		if err != nil {
			panic(err) // it is embedded: a name that isn't there is a mistake in this package
		}
		quoted := l.quote(secret)
		all = append(all, views.Snippet{
			Lang: l.name, Label: l.label, File: l.file, Run: l.run, Quoted: quoted,
			Code: strings.ReplaceAll(string(text), "{{secret}}", quoted),
		})
	}
	return all
}
