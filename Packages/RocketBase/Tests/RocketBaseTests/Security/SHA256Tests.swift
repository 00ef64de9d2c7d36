import RocketBase
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    private func hex(_ bytes: [UInt8]) throws -> String {
        try #require(X509Fingerprint(bytes: SHA256.digest(of: bytes))).description
    }

    @Test(
        "Digests are those of FIPS 180-4",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func vectors(text: String, digest: String) throws {
        #expect(try hex([UInt8](text.utf8)) == digest)
    }

    @Test("A million bytes are digested, too")
    func long() throws {
        #expect(
            try hex([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("Digests are the same only if all of their bytes are")
    func comparison() {
        let digest = SHA256.digest(of: [1])
        #expect(SHA256.areEqual(digest, SHA256.digest(of: [1])))
        for index in digest.indices {
            var other = digest
            other[index] ^= 0x80
            #expect(!SHA256.areEqual(digest, other))
        }
        #expect(!SHA256.areEqual(digest, Array(digest.dropLast())))
    }
}
