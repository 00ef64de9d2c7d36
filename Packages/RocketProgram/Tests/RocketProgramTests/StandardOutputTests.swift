import ArgumentParser
import Foundation
import RocketBase
@_spi(TestKit) import RocketSystem
import Testing

@testable import RocketProgram

/// What a program prints, and how it ends; each in a child process.
struct StandardOutputTests {
    private struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "example", version: "1.2.3")
        func run() { StandardOutput.write(line: "printed") }
    }

    /// Replaces a standard stream by a file.
    static func replace(_ number: Int32, by path: String) {
        dup2(open(path, O_RDWR), number)
    }

    /// Replaces standard output by a pipe that nobody reads any more.
    static func replaceOutputByBrokenPipe() {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { exit(99) }
        dup2(ends[1], 1)
        close(ends[0])
        close(ends[1])
    }

    static func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }

    @Test(
        "A full disk under standard output ends a program with status 74 and one line",
        arguments: [[], ["--help"], ["--version"]])
    func fullDisk(arguments: [String]) async {
        let result = await #expect(
            processExitsWith: .exitCode(74), observing: [\.standardErrorContent]
        ) { [arguments = arguments as [String]] in
            Self.replace(1, by: "/dev/full")
            await Program.run(Example.self, arguments: arguments)
        }
        #expect(
            Self.text(result?.standardErrorContent)
                == "example: can't write to standard output: ENOSPC (No space left on device)\n")
    }

    @Test(
        "Help, version and results are printed with status 0",
        arguments: [[], ["--help"], ["--version"]])
    func success(arguments: [String]) async {
        let result = await #expect(
            processExitsWith: .exitCode(0), observing: [\.standardOutputContent]
        ) { [arguments = arguments as [String]] in
            await Program.run(Example.self, arguments: arguments)
        }
        let expected = ["--help": "USAGE: example", "--version": "1.2.3\n"]
        let output = Self.text(result?.standardOutputContent)
        #expect(output.contains(expected[arguments.first ?? ""] ?? "printed\n"))
    }

    @Test("A server outlives the readers of its standard output and error")
    func goneReader() async {
        await #expect(processExitsWith: .exitCode(0)) {
            Self.replaceOutputByBrokenPipe()
            dup2(1, 2)
            StandardOutput.outliveReaders()
            guard !StandardOutput.isWritten("ready\n") else { exit(98) }
            StandardError.write(line: "a warning")
            Program.end(name: "example")
        }
    }

    @Test("A program whose reader has gone fails, also where it does not get SIGPIPE")
    func goneReaderOfAProgram() async {
        let result = await #expect(
            processExitsWith: .exitCode(74), observing: [\.standardErrorContent]
        ) {
            Self.replaceOutputByBrokenPipe()
            Signals.ignoreBrokenPipes()
            await Program.run(Example.self, arguments: [])
        }
        let line = Self.text(result?.standardErrorContent)
        #expect(line.hasPrefix("example: can't write to standard output: EPIPE"))
    }

    @Test("Standard error without a reader does not end a program by SIGPIPE")
    func goneErrorReader() async {
        await #expect(processExitsWith: .exitCode(64)) {
            Self.replaceOutputByBrokenPipe()
            dup2(1, 2)
            Signals.restoreDefaultSIGPIPE()
            await Program.run(Example.self, arguments: ["--unknown"])
        }
    }

    @Test("Closed standard streams are opened on /dev/null before any file", arguments: [0, 1, 2])
    func closedStreams(number: Int32) async {
        await #expect(processExitsWith: .exitCode(0)) { [number = number as Int32] in
            close(number)
            Program.start(name: "example", checksArguments: false)
            let file = try FileSystem.openForAppending("/dev/null")
            guard file.raw > 2, fcntl(number, F_GETFD) >= 0 else { exit(98) }
            Program.end(name: "example")
        }
    }

    @Test("Under systemd an error has its priority in the journal, and a warning has its own")
    func journal() async {
        let result = await #expect(
            processExitsWith: .exitCode(64), observing: [\.standardErrorContent]
        ) {
            // As systemd does, for the descriptor 2 of this process.
            var status = stat()
            guard fstat(2, &status) == 0 else { exit(98) }
            setenv("JOURNAL_STREAM", "\(status.st_dev):\(status.st_ino)", 1)
            StandardError.write(line: "example: a warning", level: .warn)
            await Program.run(Example.self, arguments: ["--unknown"])
        }
        let lines = Self.text(result?.standardErrorContent).split(separator: "\n")
        #expect(lines.first == "<4>example: a warning")
        #expect(lines.last?.hasPrefix("<3>example: ") == true)
        #expect(lines.count == 2)
    }

    @Test("JSON keeps its values and has no character that changes a terminal")
    func safeJSON() {
        let json = "{\"a\":\"\u{9B}31m \u{202E}\u{2028}é\u{E0041}\",\"b\":1}"
        #expect(
            TerminalText.safeJSON(json)
                == #"{"a":"\u009b31m \u202e\u2028é\udb40\udc41","b":1}"#)
    }
}
