"""sslyze, a scanner of TLS servers: prints what it finds, and finds nothing to complain about."""

import json
import os
import subprocess
import unittest

from peers import Server, files, is_served, tls_elements

COMMANDS = ("sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3", "certinfo", "heartbleed",
            "openssl_ccs", "robot", "compression", "reneg", "fallback", "resum", "ems",
            "elliptic_curves")
SSLYZE = os.environ.get("SSLYZE", "")


@unittest.skipUnless(SSLYZE, "sslyze could not be installed: run.sh says why")
class Scan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(tls_elements([files.server]))
        cls.addClassCleanup(cls.server.__exit__, None, None, None)
        path = os.path.join(files.folder(), "scan.json")
        # Without Mozilla's rules, which no certificate of a private authority meets.
        done = subprocess.run([SSLYZE, *(f"--{command}" for command in COMMANDS), "--certinfo_ca_file",
                               files.authority.file, "--json_out", path,
                               f"localhost:{cls.server.port}"], capture_output=True, text=True,
                              timeout=120)
        cls.output = done.stdout + done.stderr
        if not os.path.exists(path):
            raise AssertionError(cls.output)
        with open(path) as file:
            cls.scan = json.load(file)["server_scan_results"][0]
        if cls.scan["scan_status"] != "COMPLETED":
            raise AssertionError(cls.output)
        cls.found = cls.scan["scan_result"]
        print("\n".join(cls._findings()))

    @classmethod
    def _findings(cls):
        for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3"):
            yield f"  sslyze: {version}: {', '.join(cls._ciphers(version)) or 'refused'}"
        for name in ("heartbleed", "openssl_ccs_injection", "robot", "tls_compression",
                     "session_renegotiation", "tls_fallback_scsv", "session_resumption",
                     "tls_extended_master_secret", "elliptic_curves"):
            result = cls.found[name]["result"]
            shown = {key: value if not isinstance(value, list) else
                     [v["name"] if isinstance(v, dict) and "name" in v else v for v in value]
                     for key, value in result.items()} if result else cls.found[name]["status"]
            yield f"  sslyze: {name}: {str(shown)[:300]}"

    @classmethod
    def _ciphers(cls, version):
        result = cls.found[f"{version}_cipher_suites"]["result"]
        return [suite["cipher_suite"]["name"] for suite in result["accepted_cipher_suites"]]

    def result(self, name):
        self.assertEqual(self.found[name]["status"], "COMPLETED", self.found[name])
        return self.found[name]["result"]

    def test_old_protocols_are_refused(self):
        for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
            self.result(f"{version}_cipher_suites")
            self.assertEqual(self._ciphers(version), [])

    def test_each_cipher_has_forward_secrecy_and_authenticates(self):
        for version in ("tls_1_2", "tls_1_3"):
            self.result(f"{version}_cipher_suites")
            self.assertTrue(self._ciphers(version))
            for cipher in self._ciphers(version):
                self.assertRegex(cipher, "GCM|POLY1305")
                self.assertRegex(cipher, "^TLS_ECDHE_|^TLS_AES_|^TLS_CHACHA20_")

    def test_no_known_vulnerability(self):
        self.assertFalse(self.result("heartbleed")["is_vulnerable_to_heartbleed"])
        self.assertFalse(self.result("openssl_ccs_injection")["is_vulnerable_to_ccs_injection"])
        self.assertTrue(self.result("robot")["robot_result"].startswith("NOT_VULNERABLE"))
        self.assertFalse(self.result("tls_compression")["supports_compression"])
        renegotiation = self.result("session_renegotiation")
        self.assertTrue(renegotiation["supports_secure_renegotiation"])
        self.assertFalse(renegotiation["is_vulnerable_to_client_renegotiation_dos"])
        self.assertTrue(self.result("tls_fallback_scsv")["supports_fallback_scsv"])
        self.assertTrue(
            self.result("tls_extended_master_secret")["supports_ems_extension"])

    def test_the_certificate_is_trusted(self):
        deployment = self.result("certificate_info")["certificate_deployments"][0]
        own = [r for r in deployment["path_validation_results"]
               if r["trust_store"]["path"] == files.authority.file]
        self.assertEqual([r["was_validation_successful"] for r in own], [True])
        self.assertTrue(deployment["received_chain_has_valid_order"])
        self.assertFalse(deployment["verified_chain_has_sha1_signature"] or False)

    def test_the_server_is_well_afterwards(self):
        self.assertTrue(is_served(self.server.address))


if __name__ == "__main__":
    unittest.main()
