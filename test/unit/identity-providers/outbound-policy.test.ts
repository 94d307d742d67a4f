import { describe, expect, it } from 'vitest';
import { OutboundPolicy } from '../../../src/identity-providers/outbound-policy.js';

const https = { host: 'idp.example', plaintext: false };
const http = { host: 'idp.example', plaintext: true };

describe('OutboundPolicy', () => {
  const strict = new OutboundPolicy([]);

  it.each(['8.8.8.8', '1.1.1.1', '2606:4700::1111', '2a00:1450:4001:81b::200e'])('permits public %s', (address) => {
    expect(strict.permitsAddress(address, https)).toBe(true);
  });

  it.each([
    ['unspecified', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['private', '10.0.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.9.9.9'],
    ['link-local', '169.254.1.1'],
    ['CGNAT', '100.64.0.1'],
    ['reserved', '192.0.0.8'],
    ['documentation', '203.0.113.9'],
    ['benchmarking', '198.18.0.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['IPv4-compatible', '::7f00:1'],
    ['IPv4-mapped', '::ffff:127.0.0.1'],
    ['IPv4-mapped public', '::ffff:8.8.8.8'],
    ['translated', '64:ff9b::a00:1'],
    ['6to4', '2002:a00:1::'],
    ['Teredo', '2001::1'],
    ['unique local', 'fd12::1'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['documentation', '2001:db8::1'],
    ['unassigned', '4000::1'],
    ['not an address', 'idp.example'],
  ])('refuses %s %s', (_what, address) => {
    expect(strict.permitsAddress(address, https)).toBe(false);
  });

  it('"https only": refuses http to a public address that nobody listed', () => {
    expect(strict.permitsAddress('8.8.8.8', http)).toBe(false);
  });

  it('"The operator can allow hosts": permits listed hosts and ranges, over http too, and nothing beside them', () => {
    const policy = new OutboundPolicy(['IdP.internal.', '10.1.0.0/16', '127.0.0.1', 'fd12::/16', '[::1]']);
    expect(policy.permitsAddress('192.168.0.9', { host: 'idp.internal', plaintext: true })).toBe(true);
    for (const address of ['10.1.2.3', '127.0.0.1', 'fd12::9', '::1']) {
      expect(policy.permitsAddress(address, http)).toBe(true);
    }
    for (const address of ['10.2.0.1', '127.0.0.2', 'fd13::9', '192.168.0.9']) {
      expect(policy.permitsAddress(address, https)).toBe(false);
    }
  });

  it.each([
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
    'fd00:ec2::254',
    'fd00:0ec2:0::0254',
    '::ffff:169.254.169.254',
    '::a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
  ])('refuses the metadata address %s even if everything is listed', (address) => {
    const policy = new OutboundPolicy(['0.0.0.0/0', '::/0', 'idp.example', address]);
    expect(policy.permitsAddress(address, https)).toBe(false);
    expect(policy.permitsAddress(address, http)).toBe(false);
  });

  it('refuses the metadata host by name even if it is listed', () => {
    const policy = new OutboundPolicy(['metadata.google.internal', '0.0.0.0/0']);
    for (const url of ['http://metadata.google.internal/', 'https://METADATA.google.internal./x']) {
      expect(policy.permitsUrl(new URL(url))).toBe(false);
    }
  });

  it.each([
    'http://idp.example/',
    'ftp://idp.example/',
    'javascript:alert(1)',
    'data:text/plain,x',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://127.0.0.1./',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
  ])('refuses the URL %s', (url) => {
    expect(strict.permitsUrl(new URL(url))).toBe(false);
  });

  it('permits https names before they are resolved, and http ones that a listed range may turn out to hold', () => {
    expect(strict.permitsUrl(new URL('https://idp.example/'))).toBe(true);
    expect(new OutboundPolicy(['10.0.0.0/8']).permitsUrl(new URL('http://idp.internal/'))).toBe(true);
    expect(new OutboundPolicy(['idp.internal']).permitsUrl(new URL('http://other.internal/'))).toBe(false);
  });

  it.each(['https://idp.internal', 'idp.internal:8443', '10.0.0.0/99', '*.internal', '', 'a b'])(
    'does not take %j for a rule',
    (entry) => {
      expect(() => new OutboundPolicy([entry])).toThrow('neither a host nor a CIDR');
    },
  );
});
