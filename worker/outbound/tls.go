package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"
)

// tlsSentence says why no TLS came about with host.
func tlsSentence(err error, host string) string {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	var alert *net.OpError
	switch {
	case errors.As(err, &invalid):
		return certificateSentence(invalid, time.Now())
	case errors.As(err, &name):
		return "the certificate is not for " + host
	case errors.As(err, &authority):
		return "the certificate is signed by an authority that is not known"
	case errors.As(err, &record):
		return "the endpoint does not speak TLS"
	case errors.As(err, &alert) && alert.Op == "remote error": // a TLS alert; its type is not exported
		return "the endpoint refused the TLS handshake: " + strings.TrimPrefix(alert.Err.Error(), "tls: ")
	case isReset(err):
		return "the endpoint closed the connection during the TLS handshake"
	}
	return "the TLS handshake failed"
}

// dayLayout is how pages write a day, too.
const dayLayout = "2 Jan 2006"

func certificateSentence(invalid x509.CertificateInvalidError, now time.Time) string {
	switch {
	case invalid.Reason != x509.Expired:
		return "the certificate is not valid"
	case now.Before(invalid.Cert.NotBefore):
		return "the certificate is not valid before " + invalid.Cert.NotBefore.UTC().Format(dayLayout)
	}
	return "the certificate expired on " + invalid.Cert.NotAfter.UTC().Format(dayLayout)
}
