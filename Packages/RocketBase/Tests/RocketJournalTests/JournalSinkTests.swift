import Foundation
import RocketBase
import RocketJournal
import RocketSystem
import Testing

/// Reads the entries that libsystemd sends: from the journal of the machine when it runs, otherwise
/// from a fake journal at the same path, which needs root. Prints which one was used.
@Suite(.serialized) struct JournalSinkTests {
    static let socketPath = "/run/systemd/journal/socket"

    func write(_ marker: String, _ logs: LogSystem) {
        let call = CallContext(messageID: InlineString("7788"), method: "Order.get", peer: "::1:5")
        CallContext.$current.withValue(call) {
            logs.app.error("two\nlines", line: 77) {
                $0.add("marker", marker)
                $0.add("price", -5)
                $0.add("big", String(repeating: "x", count: 40_000))
                $0.add("message", "not the message")
                $0.add("evil", "\u{9B}31m \u{202E}gnp\u{1B}")
            }
        }
        logs.shutdown()
    }

    func system() throws -> LogSystem {
        var configuration = LogConfiguration()
        configuration.outputs = [.journal]
        return try LogSystem(withJournal: configuration)
    }

    func check(_ fields: [String: String], _ marker: String) {
        #expect(
            fields["MESSAGE"] == "two\nlines marker=\(marker) price=-5 "
                + "big=\(String(repeating: "x", count: 40_000)) message=\"not the message\" "
                + #"evil="\u{9B}31m \u{202E}gnp\x1b" peer=::1:5 method=Order.get msg_id=7788"#)
        #expect(fields["PRIORITY"] == "3")
        #expect(fields["CODE_FILE"]?.hasSuffix("JournalSinkTests.swift") == true)
        #expect(fields["CODE_LINE"] == "77")
        #expect(fields["CODE_FUNC"] == "write(_:_:)")
        #expect(fields["TID"] != nil && fields["ROCKET_TIME_US"] != nil)
        #expect(fields["ROCKET_STREAM"] == "app")
        #expect(fields["MSG_ID"] == "7788" && fields["RPC_METHOD"] == "Order.get")
        #expect(fields["PEER"] == "::1:5")
        #expect(fields["PRICE"] == "-5" && fields["MARKER"] == marker)
        #expect(fields["BIG"] == String(repeating: "x", count: 40_000))
        #expect(fields["EVIL"] == #"\u{9B}31m \u{202E}gnp\x1b"#)
        #expect(fields["FIELD_MESSAGE"] == "not the message")
    }

    @Test("Lines reach the journal promptly")
    func prompt() { #expect(JournalSink().isPrompt) }

    @Test("Each part of a line is a field in the journal")
    func fields() throws {
        let marker = UUID().uuidString
        if FileManager.default.fileExists(atPath: Self.socketPath) {
            print("journal test: the machine's journal")
            write(marker, try system())
            let fields = try readBack(marker)
            check(fields, marker)
        } else if let receiver = FakeJournal(at: Self.socketPath) {
            print("journal test: a fake journal at \(Self.socketPath)")
            write(marker, try system())
            check(receiver.receive(), marker)
        } else {
            print("journal test: NOT RUN, no journal runs and no permission for a fake one")
        }
    }

    private func readBack(_ marker: String) throws -> [String: String] {
        let sync = Process()
        sync.executableURL = URL(fileURLWithPath: "/usr/bin/journalctl")
        sync.arguments = ["--sync"]
        try sync.run()
        sync.waitUntilExit()
        let read = Process()
        let output = Pipe()
        read.executableURL = URL(fileURLWithPath: "/usr/bin/journalctl")
        read.arguments = ["--output=json", "--all", "--no-pager", "MARKER=\(marker)"]
        read.standardOutput = output
        try read.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        read.waitUntilExit()
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        return object.compactMapValues { $0 as? String }
    }
}

/// Receives one entry at the socket of the journal.
final class FakeJournal {
    private let socket: Int32
    private let path: String

    init?(at path: String) {
        self.path = path
        let folder = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        socket = Foundation.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result != 0 {
            close(socket)
            return nil
        }
    }

    deinit {
        close(socket)
        unlink(path)
    }

    /// Receives the next entry, in the journal's native protocol, and returns its fields.
    func receive() -> [String: String] {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = recv(socket, &bytes, bytes.count, 0)
        var fields: [String: String] = [:]
        var rest = bytes[..<max(0, count)]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let head = rest[..<end]
            if let equal = head.firstIndex(of: UInt8(ascii: "=")) {
                fields[text(head[..<equal])] = text(head[(equal + 1)...])
                rest = rest[(end + 1)...]
                continue
            }
            // A value with line feeds: its length in 8 bytes, little-endian, then the value.
            let start = end + 1
            let length = (0..<8).reduce(0) { $0 | Int(rest[start + $1]) << (8 * $1) }
            fields[text(head)] = text(rest[(start + 8)..<(start + 8 + length)])
            rest = rest[(start + 8 + length + 1)...]
        }
        return fields
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
