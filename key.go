package main

import (
	"context"
	"fmt"
	"strings"

	"belfry/store"
)

func prepareKeyAdd(p *program, flags *flagSet) action {
	account := accountFlag(flags)
	name := flags.String("name", "", "a `name` that says who uses the key")
	scopes := flags.String("scopes", "publish,read,manage", "what the key may do: a `list` of publish, read and manage, which holds the others")
	flags.require("name")
	return func(ctx context.Context, c *config) error {
		return p.withAccount(ctx, c, *account, func(st *store.Store, a store.Account) error {
			key, made, err := st.AddKey(ctx, a.ID, *name, splitScopes(*scopes), "command line")
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stderr, "the key %q of the account %s may %s; it is shown only now\n", made.Name, a.Name, joinScopes(made.Scopes))
			fmt.Fprintln(p.stdout, key)
			return nil
		})
	}
}

func splitScopes(list string) []store.Scope {
	var scopes []store.Scope
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		scopes = append(scopes, store.Scope(name))
	}
	return scopes
}

func joinScopes(scopes []store.Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
