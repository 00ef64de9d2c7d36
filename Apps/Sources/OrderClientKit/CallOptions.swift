import ArgumentParser
import RocketBase
import RocketProgram

/// The options of every subcommand.
struct CallOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server: the name of a stub in the configuration, or an address.",
            discussion: "IP:PORT, [IPv6]:PORT, unix:PATH. Default: the stub 'order'.",
            valueName: "address-or-stub"))
    var to: String?

    @Option(
        help: "The configuration file with the stubs; not read if --to is an address.",
        completion: .file(extensions: ["xml"]))
    var config = "conf/rocket.xml"

    @Option(
        help: ArgumentHelp(
            "Time-out of a call: 500ms, 2s; a bare number is milliseconds.",
            discussion: "Default: the time-out of the stub, or 2s.", valueName: "duration"))
    var timeout: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "What the server is: rocket-swift, or the C++ rocket or tinyrpc.",
            discussion: "Default: as the stub says, or rocket-swift.", valueName: "peer"),
        completion: .list(PeerKind.allCases.map(\.rawValue)),
        transform: { text in
            if let peer = PeerKind(rawValue: text) { return peer }
            throw ValidationError("'\(text)' is not one of rocket-swift, rocket, tinyrpc.")
        })
    var peer: PeerKind?

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
