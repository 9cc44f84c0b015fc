package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// lifetime is that of certificates. They are renewed in the middle of it.
const lifetime = 24 * time.Hour

// slack is how far a client's clock may be behind.
const slack = 5 * time.Minute

// authority signs certificates. Its key lives in memory alone.
type authority struct {
	now   func() time.Time
	key   *ecdsa.PrivateKey
	names []string // hosts and addresses

	mu     sync.Mutex
	root   *x509.Certificate
	before *x509.Certificate // what a program that started earlier may know; nil at first
	leaf   *ecdsa.PrivateKey
	leaves map[string]*tls.Certificate
}

func newAuthority(names []string, now func() time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &authority{now: now, key: key, names: names, leaf: leaf}
	return a, a.renew()
}

// renew makes another certificate of the same key, so that what it signs holds for those who know the one before, while that lasts.
func (a *authority) renew() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, err := a.template("Mallard, for this machine")
	if err != nil {
		return err
	}
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	t.PermittedDNSDomainsCritical = true
	for _, name := range a.names {
		if ip := net.ParseIP(name); ip != nil {
			bits := 8 * len(ip)
			if four := ip.To4(); four != nil {
				ip, bits = four, 32
			}
			t.PermittedIPRanges = append(t.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)})
			continue
		}
		t.PermittedDNSDomains = append(t.PermittedDNSDomains, name)
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, a.key.Public(), a.key)
	if err != nil {
		return err
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	a.before, a.root, a.leaves = a.root, root, map[string]*tls.Certificate{}
	return nil
}

func (a *authority) template(name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := a.now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"Mallard"}},
		NotBefore: now.Add(-slack), NotAfter: now.Add(lifetime), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, nil
}

// may reports whether the authority may sign for a host.
func (a *authority) may(host string) bool {
	return slices.ContainsFunc(a.names, func(n string) bool {
		return host == n || net.ParseIP(n) == nil && strings.HasSuffix(host, "."+n)
	})
}

// most bounds the certificates that are kept: buckets' names may stand in front of Google's.
const most = 256

// certificate implements [tls.Config.GetCertificate].
func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if host == "" { // an address
		host, _, _ = net.SplitHostPort(hello.Conn.LocalAddr().String())
		if !a.may(host) {
			host = "localhost"
		}
	}
	if len(host) > 253 || !a.may(host) {
		return nil, fmt.Errorf("%.100q is no name that is served here", host)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.leaves[host]; c != nil {
		return c, nil
	}
	t, err := a.template("Mallard")
	if err != nil {
		return nil, err
	}
	t.KeyUsage, t.NotAfter, t.BasicConstraintsValid = x509.KeyUsageDigitalSignature, a.root.NotAfter, true
	if ip := net.ParseIP(host); ip != nil {
		t.IPAddresses = []net.IP{ip}
	} else {
		t.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.root, a.leaf.Public(), a.key)
	if err != nil {
		return nil, err
	}
	if len(a.leaves) >= most {
		clear(a.leaves)
	}
	c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.leaf}
	a.leaves[host] = c
	return c, nil
}

// pem gives the certificates that programs are to trust.
func (a *authority) pem() (text []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range []*x509.Certificate{a.root, a.before} {
		if c != nil {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		}
	}
	return text
}
