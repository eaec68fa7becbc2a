package main

import (
	"slices"
	"strings"

	"belfry/store"
)

// variablePrefix begins the names of our environment variables.
const variablePrefix = "BELFRY_"

// listenSecretVariable is the secret that the command listen verifies by.
const listenSecretVariable = variablePrefix + "LISTEN_SECRET"

// unknownVariables says of each environment variable that looks like one of
// ours and is none that it changes nothing, and which one may be meant. The
// environment's entries are NAME=value; no value is repeated, it may be secret.
func unknownVariables(environment []string) []string {
	known := []string{listenSecretVariable}
	for _, s := range settings() {
		known = append(known, s.variable())
	}
	var words []string
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variablePrefix) || ofCluster(name) || slices.Contains(known, name) {
			continue
		}
		words = append(words, name+" is no setting and changes nothing"+didYouMean("%s", nearVariable(name, known)))
	}
	slices.Sort(words)
	return words
}

// nearVariable gives the known variable whose name is near behind the prefix,
// which they all share; empty where none is.
func nearVariable(name string, known []string) string {
	var rests []string
	for _, k := range known {
		rests = append(rests, strings.ToLower(strings.TrimPrefix(k, variablePrefix)))
	}
	nearest := store.Suggest(strings.TrimPrefix(name, variablePrefix), rests)
	if nearest == "" {
		return ""
	}
	return variablePrefix + strings.ToUpper(nearest)
}

// ofCluster says that Kubernetes sets the variable for a service that is called
// belfry, in every container beside it.
func ofCluster(name string) bool {
	rest := strings.TrimPrefix(name, variablePrefix)
	return rest == "PORT" || strings.HasPrefix(rest, "PORT_") || rest == "SERVICE_HOST" || strings.HasPrefix(rest, "SERVICE_PORT")
}
