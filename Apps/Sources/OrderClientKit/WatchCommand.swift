import ArgumentParser
import RocketBase
import RocketProgram
import RocketRPC
import RocketSystem

extension OrderClientCommand {
    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print orders as they are stored, without an end.",
            discussion: """
                Prints a line for each order when the server has it on disk, in the order of the ids. \
                When the connection is lost or the server drains, it goes on by itself behind the \
                last order that it has printed, and says so on standard error: no order is missing \
                and none is printed twice. Ends with status 0 on Ctrl-C and SIGTERM.

                A server keeps 1024 orders for a watcher that reads too slowly, and drops older \
                ones; a line on standard error says how many, and how to get them.

                EXAMPLES:
                  Print the orders that are made from now on:
                    order_client watch
                  Print those that were made after an order, then go on:
                    order_client watch --after 202611210000000001
                  Copy all orders of a server into a file, as JSON, and keep the file up to date:
                    order_client watch --after 0 --json >> orders.jsonl
                  Wait in a script for the next order, also where the server starts later:
                    order_client watch --count 1 --wait
                """)

        @Option(
            help: ArgumentHelp(
                "Begin behind this order; 0: with the first order of the store.",
                discussion: "Default: with the next order that is stored.", valueName: "id"))
        var after = ""

        @Option(help: ArgumentHelp("End after so many orders; 1 or more.", valueName: "n"))
        var count: Int?

        @Flag(help: "Wait for a server that can't be reached at first.")
        var wait = false

        @Flag(help: "Print one JSON object on one line for each order.")
        var json = false

        @OptionGroup var target: TargetOptions

        func validate() throws {
            if let count, count < 1 { throw ValidationError("--count is 1 or more") }
        }

        func run() async throws {
            let server = try target.target()
            let task = Task { [after, count, wait, json] in
                guard let channel = try Self.channel(to: server) else { return }
                var watcher = OrderWatcher(
                    channel, peer: server.description, after: after, waitsForReady: wait)
                var printer = WatchPrinter(isJSON: json, count: count)
                try await watcher.run { try printer.print($0) }
            }
            let stops = Locked(0)
            do {
                try Signals.listen(for: [.interrupt, .terminate]) { signal in
                    let count = stops.withLock { stops in
                        stops += 1
                        return stops
                    }
                    // The second time, something does not end: such as a write to a pipe that nobody
                    // reads.
                    if count > 1 { Signals.endProcess(by: signal) }
                    task.cancel()
                }
            } catch { throw ProgramFailure(error) }
            try await task.value
        }

        /// - Returns: nil if the task was cancelled meanwhile.
        private static func channel(
            to server: ServerTarget
        ) throws(ProgramFailure) -> RPCChannel? {
            do { return try server.channel() } catch {
                if Task.isCancelled { return nil }
                throw ProgramFailure(
                    "cannot call \(server): \(error.message) (\(error.code.name))",
                    status: ExitStatus(of: error))
            }
        }
    }
}

/// Prints what a watcher receives: orders on standard output, the rest on standard error. A value.
struct WatchPrinter {
    private let isJSON: Bool
    /// How many orders are still to be printed; nil: without an end.
    private var left: Int?
    private let style: TerminalText
    private let write: (String) -> Bool
    private let report: (String) -> Void

    /// - Parameter write: returns false if the line could not be written.
    init(
        isJSON: Bool, count: Int?, style: TerminalText = .standardOutput,
        write: @escaping (String) -> Bool = {
            StandardOutput.write(line: $0)
            return !StandardOutput.hasFailed
        },
        report: @escaping (String) -> Void = { StandardError.write(line: $0, level: .warn) }
    ) {
        self.isJSON = isJSON
        left = count
        self.style = style
        self.write = write
        self.report = report
    }

    /// - Returns: whether more is to be printed.
    mutating func print(_ event: OrderWatcher.Event) throws -> Bool {
        switch event {
        case .order(let order):
            let line =
                isJSON ? try OrderAnswer.json(order) : OrderAnswer.line(order, style: style)
            guard write(line) else { return false }
            left = left.map { $0 - 1 }
            return left != 0
        case .dropped(let count, let id):
            report(
                "order_client: \(count) orders are missing here, because they are read too slowly; "
                    + "to get them: order_client watch --after \(TerminalText.safe(id))")
        case .interrupted(let reason, let id):
            let place = id.isEmpty ? "" : " behind order \(TerminalText.safe(id))"
            report("order_client: \(TerminalText.safe(reason)); going on\(place)")
        }
        return true
    }
}
