package main

import (
	"slices"
	"strings"
)

// subcommands are all commands, in the order in which the help lists them.
func subcommands() []subcommand {
	return slices.Concat(serverCommands(), accountCommands(), toolCommands())
}

// groupOf are the commands of two words that begin with this one.
func groupOf(word string) []subcommand {
	return slices.DeleteFunc(subcommands(), func(cmd subcommand) bool { return !strings.HasPrefix(cmd.name, word+" ") })
}

// serverCommands run the server, or prepare its database.
func serverCommands() []subcommand {
	return []subcommand{
		{
			name: "serve", summary: "serve pages and API and deliver webhooks (the default)", settings: allSettings, prepare: prepareServe,
			detail: "Serves pages and API and delivers webhooks. With SQLite, the default, everything is kept in the data folder and one process serves it; " +
				"with Postgres several may. Ends on SIGTERM or Ctrl-C once the requests under way are done, within 15 seconds; a second signal ends it at once.",
			examples: []string{
				"belfry serve",
				"belfry serve -addr :8080 -base-url https://hooks.example.com",
				"BELFRY_DATABASE_URL=postgres://belfry@db/belfry belfry serve -secret-key-file /etc/belfry/key",
			},
		},
		{
			name: "demo", summary: "serve a living sample with throw-away data", settings: addrSetting, prepare: prepareDemo,
			detail: "Serves a sample account with 30 days of history, healthy, flaky, slow and worse receivers and steady traffic, all on this machine: " +
				"their names end in .acme.test and lead here, within the demo only. " +
				"Retries follow after 3 s, 20 s, 2 min, 10 min and 30 min, sooner than a server's, so that they are seen. " +
				"Prints the sign-in. The data is thrown away at the end; yours is not touched.",
			examples: []string{"belfry demo", "belfry demo -addr 127.0.0.1:8090"},
		},
		{
			name: "migrate", summary: "bring the database's schema up to date", settings: dataSettings, prepare: prepareMigrate,
			detail:   "Brings the database's schema up to date. The server does so at each start; this is for doing it ahead of that. With SQLite no server may run meanwhile.",
			examples: []string{"belfry migrate"},
		},
	}
}

// accountCommands change accounts, people and keys.
func accountCommands() []subcommand {
	return []subcommand{
		{
			name: "account add", summary: "add an account (a tenant)", settings: dataSettings, prepare: prepareAccountAdd,
			detail:   "Adds an account with the default limits. The first one, called default, is made by itself.",
			examples: []string{"belfry account add -name acme"},
		},
		{
			name: "account limit", summary: "show or set the limits of an account", settings: dataSettings, prepare: prepareAccountLimit,
			detail:   "Sets the limits that are given for one account, and prints all that hold for it. The word default takes a limit back to the server's default.",
			examples: []string{"belfry account limit", "belfry account limit -account acme -max-webhooks 50 -rate-per-minute 6000", "belfry account limit -account acme -max-webhooks default"},
		},
		{
			name: "user add", summary: "add a person who can sign in", settings: dataSettings, prepare: prepareUserAdd,
			detail:   "Adds a person who can sign in at once. The password is read from standard input: 12 characters or more.",
			examples: []string{"belfry user add -email mira@example.com -role admin", "pass show belfry | belfry user add -email mira@example.com"},
		},
		{
			name: "user reset-password", summary: "give a person a new password", settings: dataSettings, prepare: prepareUserReset,
			detail:   "Gives a person a new password and ends all their sessions. The password is read from standard input: 12 characters or more.",
			examples: []string{"belfry user reset-password -email mira@example.com"},
		},
		{
			name: "key add", summary: "make an API key and print it", settings: dataSettings, prepare: prepareKeyAdd,
			detail:   "Makes an API key and prints it, alone, on standard output. It is kept as a hash only: nobody can show it again.",
			examples: []string{"belfry key add -name backend -scopes publish", "KEY=$(belfry key add -name ci)"},
		},
	}
}

// toolCommands are for whoever integrates or operates.
func toolCommands() []subcommand {
	return []subcommand{
		{
			name: "publish", summary: "publish one event", settings: dataSettings, prepare: preparePublish,
			detail: "Publishes one event and prints what was accepted. A server that runs beside it delivers at once, else the next one that is started does. " +
				"Without -data the sample of the event's type is sent.",
			examples: []string{`belfry publish -event call.ended -data '{"call_id":"call_1","duration":42}'`, "belfry publish -event order.paid -data @order.json", "cat order.json | belfry publish -event order.paid -data -"},
		},
		{
			name: "listen", summary: "receive webhooks: verify and print them", prepare: prepareListen,
			detail: "Receives webhooks on this machine, verifies their signatures, prints them and answers. It tells how to start the server so that it may deliver here, and the URL to register. " +
				"The secret may also stand in BELFRY_LISTEN_SECRET.",
			examples: []string{"belfry listen -secret whsec_…", "belfry listen -addr 127.0.0.1:9001 -status 500", "belfry listen -delay 12s"},
		},
		{
			name: "doctor", summary: "check settings, database and machine", settings: allSettings, tellsFaults: true, prepare: prepareDoctor,
			detail:   "Checks settings, data folder, secret key, database, schema, durability, clocks, addresses and disk, each by its name. Exits with 1 where anything is at fault. It changes nothing; a server may run beside it.",
			examples: []string{"belfry doctor"},
		},
		{
			name: "version", summary: "print the version", prepare: prepareVersion,
			detail: "Prints the version, the commit it was built from and the Go version.",
		},
		{
			name: "help", summary: "explain a command", prepare: prepareHelp,
			detail: "Lists the commands, or explains the one that is named.", examples: []string{"belfry help key add"},
		},
	}
}
