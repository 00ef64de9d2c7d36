import CRocketHTTPClient
import FoundationEssentials
import RocketBase
import RocketProgram

/// Reads the tables of a server's page, and records calls by it. Blocks its thread; one thread at a time.
struct AdminClient: ~Copyable {
    private let address: AdminAddress
    private let client: OpaquePointer

    /// The longest answer: 1,000 connections have 300 KiB, recorded calls 2 MiB and one call more.
    private static let mostBytes = 16 << 20
    /// How long one request may take.
    private static let timeout = Duration.seconds(10)

    /// - Parameter tls: for an address with TLS; nil: the system's authorities, and no certificate.
    /// - Throws: `ProgramFailure` (no memory).
    init(_ address: AdminAddress, tls: StubTLSConfig? = nil) throws(ProgramFailure) {
        self.address = address
        let timeout = Int(Self.timeout / .milliseconds(1))
        // SAFETY: the shim copies the path.
        guard
            let client = unsafe rocket_http_client_create(address.socket, timeout, Self.mostBytes)
        else { throw ProgramFailure("no memory for a client of HTTP", status: .ioError) }
        // SAFETY: libcurl copies the texts.
        if address.isSecure,
            unsafe rocket_http_client_use_tls(
                client, tls?.ca, tls?.certificate, tls?.key, address.connectTo) != 0
        {
            unsafe rocket_http_client_free(client)
            throw ProgramFailure("no memory for a client of HTTP", status: .ioError)
        }
        unsafe self.client = client
    }

    deinit { unsafe rocket_http_client_free(client) }

    /// Returns the JSON at a path, such as `/methods.json`.
    ///
    /// - Throws: `ProgramFailure` (unavailable: no answer, or another than that of a page;
    ///   notPermitted: status 403).
    func get(_ path: String) throws(ProgramFailure) -> [UInt8] {
        let answer = unsafe rocket_http_client_get(client, address.base + path)
        let body = unsafe try body(of: answer)
        switch unsafe answer.status {
        case 200: return body
        case 401 where address.isSecure, 403 where address.isSecure:
            throw ProgramFailure(
                "\(TerminalText.safe(place)): not permitted: no rule of admin/authorization allows "
                    + "admin.read to this client's certificate (--tls-cert, --tls-key)",
                status: .notPermitted)
        case 403:
            throw ProgramFailure(
                "\(TerminalText.safe(place)): not permitted: only root, the server's user and "
                    + "members of admin/group may look",
                status: .notPermitted)
        case let status:
            throw ProgramFailure(
                "\(TerminalText.safe(place)): HTTP status \(status): this is no page of a server",
                status: .unavailable)
        }
    }

    private var place: String { address.socket ?? address.base }

    private func body(of answer: rocket_http_answer) throws(ProgramFailure) -> [UInt8] {
        if let error = unsafe answer.error {
            let text = unsafe String(cString: error)
            throw ProgramFailure(
                "\(TerminalText.safe("\(place): \(text)")): is it the address in admin/listen?",
                status: .unavailable)
        }
        // SAFETY: the shim's memory has `count` bytes until the next request.
        return unsafe Array(UnsafeBufferPointer(start: answer.body, count: answer.count))
    }

    /// Sends the fields of a form, and returns the answer.
    ///
    /// - Throws: `ProgramFailure` as `get`; with the page's text if it refuses them (usage: status 400;
    ///   temporaryFailure: 409).
    func post(
        _ path: String, _ fields: [(name: String, value: String)]
    ) throws(ProgramFailure) -> [UInt8] {
        let form = fields.map { "\($0.name)=\(TopTab.encoded($0.value))" }.joined(separator: "&")
        let answer = unsafe rocket_http_client_post(client, address.base + path, form)
        let body = unsafe try body(of: answer)
        let status: ExitStatus
        switch unsafe answer.status {
        case 200: return body
        case 400, 413: status = .usage
        case 403: status = .notPermitted
        case 409: status = .temporaryFailure
        default: status = .unavailable
        }
        let text = String(decoding: body.prefix(1000), as: UTF8.self)
            .split(separator: "\n").joined(separator: " ")
        throw ProgramFailure(TerminalText.safe("\(place): \(text)"), status: status)
    }

    /// Returns a decoded table.
    ///
    /// - Throws: as `get`, and for what is no JSON.
    func table<Table: Decodable>(_ path: String, _: Table.Type) throws(ProgramFailure) -> Table {
        let bytes = try get(path)
        do { return try JSONDecoder().decode(Table.self, from: Data(bytes)) } catch {
            throw ProgramFailure(
                "\(TerminalText.safe(address.socket ?? address.base))\(path) is not what the page "
                    + "of a server has: it may be another program, or another version",
                status: .protocolError)
        }
    }
}
