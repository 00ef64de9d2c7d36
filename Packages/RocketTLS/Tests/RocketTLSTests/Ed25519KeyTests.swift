import RocketBase
import RocketTLS
import Testing

struct Ed25519KeyTests {
    private func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(digits[$0...($0 + 1)]), radix: 16) ?? 0
        }
    }

    @Test("Keys and signatures are those of RFC 8032, 7.1")
    func vectors() throws {
        let empty = try Ed25519Key(
            seed: bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
        #expect(
            empty.publicKey
                == bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
        #expect(
            try empty.signature(of: [])
                == bytes(
                    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                        + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"))
        let short = try Ed25519Key(
            seed: bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
        #expect(
            try short.signature(of: [0x72])
                == bytes(
                    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                        + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"))
    }

    @Test("A seed of another length is an error")
    func length() {
        let error = #expect(throws: TransportSecurityError.self) {
            try Ed25519Key(seed: [UInt8](repeating: 1, count: 31))
        }
        #expect(error?.text.contains("this one 31") == true)
    }
}
