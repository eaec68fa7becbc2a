package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// demoSocket takes the first address of this machine that is free, of those that
// make short URLs.
func demoSocket() (socket net.Listener, at netip.AddrPort, err error) {
	wanted := []string{"127.0.0.1:443", "127.0.0.2:443", "127.0.0.3:443", "127.0.0.4:443", "127.0.0.5:443", "127.0.0.1:7443", "127.0.0.1:0"}
	for _, address := range wanted {
		if socket, err = net.Listen("tcp", address); err == nil {
			at, err = netip.ParseAddrPort(socket.Addr().String())
			return socket, at, err
		}
	}
	return nil, at, fmt.Errorf("start the sample receivers: %w", err)
}

// serveUntil serves with TLS until ctx ends.
func serveUntil(ctx context.Context, socket net.Listener, handler http.Handler, config *tls.Config) {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = server.Serve(tls.NewListener(socket, config)) }() // until it is closed
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, func() { server.Close() }) })
}

// certificateUntil makes a certificate for the sample receivers that is valid
// until then.
func certificateUntil(then time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Belfry demo"}, NotBefore: then.AddDate(0, 0, -180), NotAfter: then,
		DNSNames: []string{"*" + demoDomain}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
