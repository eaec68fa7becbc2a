package main

import (
	"slices"
	"testing"
)

func TestAMistypedVariableIsNamedWithTheNearestOne(t *testing.T) {
	got := unknownVariables([]string{
		"PATH=/bin", "BELFRY_ADDR=:1", "BELFRY_LISTEN_SECRET=x", "BELFRY_DATA_DRI=/data", "BELFRY_SECRET_KYE=hidden", "BELFRY_XYZ=1",
		"BELFRY_PORT=tcp://10.0.0.1:80", "BELFRY_PORT_80_TCP=tcp://10.0.0.1:80", "BELFRY_SERVICE_HOST=10.0.0.1", "BELFRY_SERVICE_PORT=80",
	})
	want := []string{
		"BELFRY_DATA_DRI is no setting and changes nothing; did you mean BELFRY_DATA_DIR?",
		"BELFRY_SECRET_KYE is no setting and changes nothing; did you mean BELFRY_SECRET_KEY?",
		"BELFRY_XYZ is no setting and changes nothing",
	}
	if !slices.Equal(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}
}
