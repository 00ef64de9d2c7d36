import Glibc
import Testing

@testable import RocketSystem

@Suite struct JournalStreamTests {
    @Test(
        "JOURNAL_STREAM names a stream by its device and its inode",
        arguments: [
            ("25:4711", true), ("25:4712", false), ("24:4711", false), ("4711:25", false),
            ("", false), (":", false), ("25:", false), (":4711", false), ("25", false),
            ("25:4711:", false), ("25:4711 ", false), ("25;4711", false), ("-25:4711", false),
            ("25:18446744073709551616", false),
        ])
    func variable(_ text: String, _ isJournal: Bool) {
        #expect(StandardStream.isJournal(text, device: 25, inode: 4711) == isJournal)
    }

    /// Sets JOURNAL_STREAM as systemd does, for the descriptor 2 of this process.
    static func pretendJournal(inodeOffset: UInt64 = 0) {
        var status = stat()
        guard fstat(2, &status) == 0 else { exit(99) }
        setenv("JOURNAL_STREAM", "\(status.st_dev):\(UInt64(status.st_ino) + inodeOffset)", 1)
    }

    @Test("A program that ends with an error tells the journal its priority")
    func journal() async {
        let result = await #expect(
            processExitsWith: .exitCode(66), observing: [\.standardErrorContent]
        ) {
            Self.pretendJournal()
            ProcessExit.end("example: it failed", status: 66)
        }
        #expect(
            result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) }
                == "<3>example: it failed\n")
    }

    @Test("Another reader than the journal gets the line only")
    func otherReader() async {
        let result = await #expect(
            processExitsWith: .exitCode(66), observing: [\.standardErrorContent]
        ) {
            Self.pretendJournal(inodeOffset: 1)
            ProcessExit.end("example: it failed", status: 66)
        }
        #expect(
            result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) }
                == "example: it failed\n")
    }
}
