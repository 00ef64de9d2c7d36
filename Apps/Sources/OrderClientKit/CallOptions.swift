import ArgumentParser
import RocketProgram

/// What every subcommand understands.
struct CallOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server: a stub's name in the configuration, or an address.",
            discussion: "IP:PORT, [IPv6]:PORT, unix:PATH. Default: the stub 'order'.",
            valueName: "address-or-stub"))
    var to: String?

    @Option(
        help: "The configuration with the stubs; not read when --to is an address.",
        completion: .file(extensions: ["xml"]))
    var config = "conf/rocket.xml"

    @Option(
        help: ArgumentHelp(
            "How long a call may take: 500ms, 2s; a bare number is milliseconds.",
            discussion: "Default: the stub's timeout, or 2s.", valueName: "duration"))
    var timeout: DurationArgument?

    @Flag(help: "Wait for a server that can't be reached, as long as the call may take.")
    var wait = false

    @Flag(help: "One JSON object on one line instead of text.")
    var json = false

    /// Prints what a call brought.
    func show(_ result: (answer: OrderAnswer, roundTrip: Duration)) throws {
        let (answer, roundTrip) = result
        StandardOutput.write(
            line: json
                ? try answer.json(roundTrip: roundTrip)
                : answer.text(roundTrip: roundTrip, style: .standardOutput))
    }
}
