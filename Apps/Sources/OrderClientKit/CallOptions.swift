import ArgumentParser
import RocketBase
import RocketProgram

/// The options of every subcommand that calls the order service.
struct CallOptions: ParsableArguments {
    @OptionGroup var target: TargetOptions

    @Option(
        help: ArgumentHelp(
            "Time-out of a call: 500ms, 2s; a bare number is milliseconds.",
            discussion: "Default: the time-out of the stub, or 2s.", valueName: "duration"))
    var timeout: DurationArgument?

    @Flag(help: "Wait for a server that can't be reached, until the time-out of the call.")
    var wait = false

    @Flag(help: "Print one JSON object on one line instead of text.")
    var json = false

    /// Prints the result of a call.
    func print(_ result: (answer: OrderAnswer, roundTrip: Duration)) throws {
        let (answer, roundTrip) = result
        StandardOutput.write(
            line: json
                ? try answer.json(roundTrip: roundTrip)
                : answer.text(roundTrip: roundTrip, style: .standardOutput))
    }
}
