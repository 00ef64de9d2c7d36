import CRocketHTTPClient
import FoundationEssentials
import RocketBase
import RocketProgram

/// Reads the tables of a server's page. Blocks its thread; one thread at a time.
struct AdminClient: ~Copyable {
    private let address: AdminAddress
    private let client: OpaquePointer

    /// The longest answer: 1,000 connections have 300 KiB.
    private static let mostBytes = 8 << 20
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
        let place = address.socket ?? address.base
        if let error = unsafe answer.error {
            let text = unsafe String(cString: error)
            throw ProgramFailure(
                "\(TerminalText.safe("\(place): \(text)")): is it the address in admin/listen?",
                status: .unavailable)
        }
        switch unsafe answer.status {
        case 200:
            // SAFETY: the shim's memory has `count` bytes until the next request.
            return unsafe Array(UnsafeBufferPointer(start: answer.body, count: answer.count))
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
