import ArgumentParser
import Testing

@testable import RocketProgram

struct ProgramTests {
    private struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "example")
        @Option var size: Int = 1
    }

    @Test("An unknown option is reported in one line with the program's name and a hint to --help")
    func usage() {
        let error = #expect(throws: (any Error).self) {
            _ = try Example.parse(["--sise", "3"])
        }
        guard let error else { return }
        let line = Program.line(for: error, of: Example.self)
        #expect(line.hasPrefix("example: "))
        #expect(line.contains("--sise"))
        #expect(line.hasSuffix("(see example --help)"))
        #expect(!line.contains("\n"))
    }

    @Test("A failure is reported with its message in one line")
    func failure() {
        let line = Program.line(for: ProgramFailure("first\nsecond"), of: Example.self)
        #expect(line == "example: first second")
    }

    @Test(
        "Durations are numbers with a unit; a number without one is in milliseconds",
        arguments: [
            ("500ms", Duration.milliseconds(500)), ("2s", .seconds(2)),
            ("1.5s", .milliseconds(1500)),
            ("1m", .seconds(60)), ("60m", .seconds(3600)), ("250", .milliseconds(250)),
            ("0.5", .microseconds(500)),
        ])
    func durations(text: String, duration: Duration) {
        #expect(DurationArgument(argument: text)?.duration == duration)
    }

    @Test(
        "Rejects invalid durations",
        arguments: [
            "", "s", "-1", "0", "1h", "1 s", "nan", "inf", "1e3", ".5", "61m", "1.2.3", "٣",
        ])
    func noDurations(text: String) { #expect(DurationArgument(argument: text) == nil) }

    @Test("Escapes control characters in a peer's text")
    func safeText() {
        #expect(TerminalText.safe("苹果 🍎 é") == "苹果 🍎 é")
        #expect(TerminalText.safe("a\u{1B}[2Jb\r\n\tc") == "a\\u{1B}[2Jb\\r\\n\\tc")
        #expect(TerminalText.safe("\u{202E}abc") == "\\u{202E}abc")
    }

    @Test("Uses colours only on request")
    func colours() {
        #expect(TerminalText(isColoured: false).bold("a") == "a")
        #expect(TerminalText(isColoured: true).bold("a") == "\u{1B}[1ma\u{1B}[0m")
    }
}
