import ArgumentParser
import RocketBase
import RocketProgram
import RocketSystem

/// `rocket top`.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show what a running server does.",
        discussion: """
            Reads the page of the server, which root/admin/listen of its configuration turns on: calls \
            and latencies of each method, connections, the last slow and failed calls, the channels \
            to other servers, loops, limits.

            On a terminal it is renewed each second until q or Ctrl-C. The keys 1 to 6, Tab and the \
            arrows select the table, Space renews it at once; Ctrl-Z stops until the shell's fg. \
            Elsewhere, with TERM=dumb, and with --once, one text is printed.

            EXAMPLES:
              rocket top 127.0.0.1:9100
              sudo rocket top unix:/run/order_server/admin.sock
              rocket top https://orders:9100 --tls-ca ca.pem --tls-cert me.pem --tls-key me.key
              rocket top 127.0.0.1:9100 --table calls --once
              rocket top 127.0.0.1:9100 --table methods --json | jq '.methods[].p99_seconds'
            """)

    @Argument(
        help: ArgumentHelp(
            "IP:PORT or unix:PATH, as in admin/listen; https://HOST:PORT with admin/tls.",
            valueName: "address"))
    var address: String

    @Option(help: "The table: methods, connections, calls, channels, loops or limits.")
    var table = TopTab.methods

    @Option(help: "Only rows that contain this text.")
    var filter: String?

    @Option(
        help: ArgumentHelp(
            "Seconds between two readings, 0.25 to 3600. The server counts four times a second.",
            valueName: "seconds"))
    var interval = 1.0

    @Flag(help: "Print one text, then exit.")
    var once = false

    @Flag(help: "Print one reading as JSON: the overview and the table, with all columns.")
    var json = false

    @OptionGroup(title: "TLS") var tls: TLSOptions

    func validate() throws {
        try tls.validateForPage()
        guard (0.25...3600).contains(interval) else {
            throw ValidationError("--interval is 0.25 to 3600 seconds")
        }
    }

    func run() async throws {
        let place = try AdminAddress(argument: address, tls: tls.settings)
        let client = try AdminClient(place, tls: tls.settings)
        let source = TopSource(client: client, address: address, filter: filter)
        if json {
            StandardOutput.write(line: try source.json(table))
        } else if once || !TopTerminal.isUsable {
            let lines = try source.view(table).lines()
            StandardOutput.write(line: lines.joined(separator: "\n"))
        } else {
            try await TopScreen(interval: .seconds(interval)).run(source, table)
        }
    }
}

extension TopTab: ExpressibleByArgument {}

/// Readings of a server's page. Blocks its thread.
struct TopSource: ~Copyable {
    let client: AdminClient
    let address: String
    let filter: String?

    init(client: consuming AdminClient, address: String, filter: String?) {
        self.client = client
        (self.address, self.filter) = (address, filter)
    }

    /// Reads the overview and a table.
    func view(_ tab: TopTab) throws(ProgramFailure) -> TopView {
        let overview = try client.table("/overview.json", TopOverview.self)
        let table = try client.table(tab.path(filter: filter), TopTable.self)
        return TopView(
            address: address, tab: tab, overview: overview, rows: table[tab.name] ?? [],
            leftOut: table.leftOut)
    }

    /// Both as one object, as the page has them.
    func json(_ tab: TopTab) throws(ProgramFailure) -> String {
        // Both are checked to be what they should be.
        _ = try client.table("/overview.json", TopOverview.self)
        let overview = try client.get("/overview.json")
        let path = tab.path(filter: filter)
        _ = try client.table(path, TopTable.self)
        let table = try client.get(path)
        return "{\"overview\":\(Self.text(overview)),\n\(Self.text(table).dropFirst())"
    }

    private static func text(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return String(text.reversed().drop { $0.isWhitespace }.reversed())
    }
}
