import ArgumentParser
import RocketBase
import RocketProgram
import RocketSystem

/// `rocket crash`.
struct CrashCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crash",
        abstract: "Show what a process did at its end: the file of its flight recorder.",
        discussion: """
            Prints the calls that were in flight, and the last calls and lines of the log in the order of \
            their times. Servers record them with server/flight_recorder; the file of a process that has \
            crashed is PATH.1 once the server has been started again. The file of a process that runs can \
            be read, too.

            EXAMPLES:
              rocket crash /run/order_server/flight.1
              rocket crash order_server.flight --last 200
              rocket crash order_server.flight --json | jq '.in_flight[].method'
            """)

    @Argument(
        help: ArgumentHelp("The file of the flight recorder.", valueName: "file"),
        completion: .file())
    var file: String

    @Option(
        help: ArgumentHelp(
            "How many of the last calls and lines to print (default: 40).", valueName: "count"))
    var last = 40

    @Flag(help: "Print JSON: one object, with the last calls and lines that --last says.")
    var json = false

    func validate() throws {
        if last < 0 { throw ValidationError("--last is negative") }
    }

    func run() throws {
        let bytes: [UInt8]
        let isRunning: Bool
        do throws(SystemError) {
            bytes = try FileContents.read(file, limit: FlightRecorder.allowedBytes.upperBound)
            isRunning = try SharedFileMemory.isInUse(file)
        } catch {
            throw ProgramFailure(error.description, status: .noInput)
        }
        let recording: FlightRecording
        do throws(FlightRecordingError) { recording = try FlightRecording(bytes) } catch {
            throw ProgramFailure("\(file) \(error)", status: .dataError)
        }
        let report = CrashReport(
            recording, isRunning: isRunning, last: last,
            utcOffsetSeconds: LocalTime.utcOffsetSeconds(at: recording.lastSignOfLife))
        StandardOutput.write(line: json ? report.json : report.lines.joined(separator: "\n"))
        if recording.missingBytes > 0 {
            StandardError.write(
                line: TerminalText.safe(
                    "rocket: \(file) is cut: \(recording.missingBytes) bytes are missing at its end, "
                        + "so this is a part"))
            throw ExitCode(ExitStatus.dataError.rawValue)
        }
    }
}
