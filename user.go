package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"belfry/store"
)

func prepareUserAdd(p *program, flags *flagSet) action {
	account := accountFlag(flags)
	email := flags.String("email", "", "the person's email `address`, with which they sign in")
	role := flags.String("role", "", "`role`: owner, admin or viewer; empty: owner for the first person of the account, then admin")
	flags.require("email")
	return func(ctx context.Context, c *config) error {
		password, err := p.readPassword(*email)
		if err != nil {
			return err
		}
		return p.withAccount(ctx, c, *account, func(st *store.Store, a store.Account) error {
			chosen, err := roleOr(ctx, st, a, store.Role(*role))
			if err != nil {
				return err
			}
			u, err := st.AddUser(ctx, a.ID, *email, chosen, password)
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "added %s as %s of the account %s\n", u.Email, u.Role, a.Name)
			return nil
		})
	}
}

// roleOr gives a role where none was chosen: somebody must own the account.
func roleOr(ctx context.Context, st *store.Store, a store.Account, chosen store.Role) (store.Role, error) {
	if chosen != "" {
		return chosen, nil
	}
	users, err := st.Users(ctx, a.ID)
	if len(users) == 0 {
		return store.RoleOwner, err
	}
	return store.RoleAdmin, err
}

func prepareUserReset(p *program, flags *flagSet) action {
	email := flags.String("email", "", "the person's email `address`")
	flags.require("email")
	return func(ctx context.Context, c *config) error {
		if err := mustHaveDatabase(c); err != nil {
			return err
		}
		password, err := p.readPassword(*email)
		if err != nil {
			return err
		}
		return p.withStore(ctx, c, func(st *store.Store) error {
			if err := st.ResetPassword(ctx, *email, password); err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "%s has the new password and is signed out everywhere\n", *email)
			return nil
		})
	}
}

// readPassword takes the first line of standard input. At a terminal it asks,
// and what is typed is not shown.
func (p *program) readPassword(email string) (string, error) {
	if f, ok := p.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(p.stderr, "New password for %s: ", email)
		typed, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(p.stderr)
		return string(typed), err
	}
	line, err := bufio.NewReader(p.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("there is no password on standard input: give it as one line, such as echo … | belfry user add …")
	}
	return line, nil
}
