import Foundation
import RocketBase
import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

@Suite("Keys from a file")
struct StaticKeysTests {
    private let peer = RPCPeer(address: .loopback(port: 1))

    private static func digest(_ key: String) throws -> String {
        try #require(X509Fingerprint(bytes: SHA256.digest(of: [UInt8](key.utf8)))).description
    }

    private func withFile(
        _ text: String, mode: Int = 0o600, _ body: (String) throws -> Void
    ) throws {
        let file = NSTemporaryDirectory() + "rocket-keys-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: file) }
        try write(text, to: file, mode: mode)
        try body(file)
    }

    private func write(_ text: String, to file: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    }

    @Test("A key is found by its digest, and its line names the subject")
    func subjects() throws {
        let text = """
            # comment
              billing  \(try Self.digest("one"))

            orders\t\(try Self.digest("two").uppercased())
            orders \(try Self.digest("three"))
            """
        try withFile(text) { file in
            let keys = try StaticKeys(file: file)
            #expect(try keys.authenticate("one", peer).subject == "billing")
            for key in ["two", "three"] {
                #expect(try keys.authenticate(key, peer).subject == "orders")
            }
            for key in ["", "four", try Self.digest("one"), "one "] {
                let error = #expect(throws: RPCError.self) { try keys.authenticate(key, peer) }
                #expect(error?.code == .unauthenticated)
            }
        }
    }

    @Test("A reload replaces all keys, or none")
    func reload() throws {
        try withFile("a \(try Self.digest("one"))\n") { file in
            let keys = try StaticKeys(file: file)
            let before = keys.generation
            try write("a \(try Self.digest("two"))\nb one\n", to: file)
            #expect(throws: RPCError.self) { try keys.reload() }
            #expect(keys.generation == before)
            #expect(try keys.authenticate("one", peer).subject == "a")
            try write("a \(try Self.digest("two"))\n", to: file)
            try keys.reload()
            #expect(keys.generation != before)
            #expect(throws: RPCError.self) { try keys.authenticate("one", peer) }
            #expect(try keys.authenticate("two", peer).subject == "a")
        }
    }

    @Test("A file of another user is refused", .enabled(if: UserAccount.effectiveUID == 0))
    func owner() throws {
        try withFile("a \(try Self.digest("one"))\n") { file in
            try FileManager.default.setAttributes([.ownerAccountID: 4711], ofItemAtPath: file)
            let error = #expect(throws: RPCError.self) { try StaticKeys(file: file) }
            #expect(error?.message.contains("belongs to uid 4711; expected 0 or 0") == true)
        }
    }

    @Test("A file that others may read is refused", arguments: [0o644, 0o640, 0o620, 0o604])
    func mode(mode: Int) throws {
        // A file of root may be readable by its group.
        if mode == 0o640, UserAccount.effectiveUID == 0 { return }
        try withFile("a \(try Self.digest("one"))\n", mode: mode) { file in
            let error = #expect(throws: RPCError.self) { try StaticKeys(file: file) }
            #expect(error?.message.contains("mode 0\(String(mode, radix: 8))") == true)
            #expect(error?.message.contains("expected 0600") == true)
        }
        try withFile("a \(try Self.digest("one"))\n", mode: 0o400) { _ = try StaticKeys(file: $0) }
    }

    @Test(
        "A wrong line is reported with its number and what was expected, and never shown",
        arguments: [
            "a", "a secret", "a b c", "secret", "a \(String(repeating: "0", count: 63))",
            "\(String(repeating: "s", count: 256)) \(String(repeating: "0", count: 64))",
        ])
    func wrongLine(line: String) throws {
        let error = #expect(throws: RPCError.self) {
            try StaticKey.parse("# keys\n\(line)\n", file: "/k")
        }
        #expect(error?.message.hasPrefix("the file of keys /k, line 2: expected a subject") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test("A key occurs once, and there are 1 to 1,024")
    func limits() throws {
        let digest = try Self.digest("one")
        for text in ["a \(digest)\nb \(digest)\n", "", "# nothing\n"] {
            #expect(throws: RPCError.self) { try StaticKey.parse(text, file: "/k") }
        }
        func lines(_ count: Int) throws -> String {
            try (0..<count).map { "a \(try Self.digest("\($0)"))\n" }.joined()
        }
        #expect(try StaticKey.parse(lines(1024), file: "/k").count == 1024)
        #expect(throws: RPCError.self) { try StaticKey.parse(lines(1025), file: "/k") }
    }

    @Test("A missing file is an error that names it")
    func missing() {
        let error = #expect(throws: RPCError.self) { try StaticKeys(file: "/nowhere/keys") }
        #expect(error?.message.contains("/nowhere/keys") == true)
    }
}
