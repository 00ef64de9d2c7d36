import RocketSystem
import RocketTCP

/// Which requests are answered, by what they say. A value.
///
/// On a loopback address a browser is a way in for foreign pages: their scripts send requests there.
/// They can't read the answers, unless a name of theirs resolves to the loopback address (DNS
/// rebinding): therefore the header Host must be an address. And they must not change anything:
/// therefore a change needs a header that only this page, or a program, sends.
struct RequestPolicy: Sendable {
    /// How the page is reached.
    let way: Way
    /// Whether anything may be changed.
    let isWritable: Bool

    enum Way: Sendable {
        /// By a loopback address, as every page in a browser on the machine can.
        case loopback
        /// By a Unix socket, which no browser reaches.
        case unix
        /// By TLS: the certificate is of the page's own names only.
        case tls
    }

    /// A request that is not answered as it wishes.
    struct Refusal: Error, Hashable {
        var status: Int
        /// What to do.
        var text: String
        /// Of the header Allow.
        var allowed: String?

        init(_ status: Int, _ text: String, allowed: String? = nil) {
            self.status = status
            self.text = text
            self.allowed = allowed
        }
    }

    /// What says no more than whether the server is there.
    private static let probes: Set = ["/healthz", "/readyz"]

    /// Checks the header Host.
    func checkHost(of request: HTTPRequest) throws(Refusal) {
        if request.repeated.contains(.host) {
            throw Refusal(400, "The request has more than one Host header: send one.")
        }
        guard let host = request.headers[.host] else {
            // HTTP/1.0, as HAProxy's plain `option httpchk` sends it. No browser does.
            if way == .unix || Self.probes.contains(request.target.path) { return }
            throw Refusal(400, "The request has no Host header: send one, such as Host: localhost.")
        }
        if way != .loopback || HTTPHost(host).isLoopback { return }
        throw Refusal(
            421,
            "The Host header names something other than this machine. Use the address that the page "
                + "listens on, such as http://127.0.0.1:PORT/ or http://localhost:PORT/: other names "
                + "are refused, since a foreign page could read this one by a name of its own.")
    }

    /// Checks that a request that changes something is allowed to, and comes from no foreign page.
    func checkChange(by request: HTTPRequest) throws(Refusal) {
        guard isWritable else {
            throw Refusal(
                403,
                "Nothing can be changed here: set admin/writable to true in the configuration and "
                    + "restart the program; a reload is not enough. A level of the log itself changes by "
                    + "the element log and a reload.")
        }
        try checkOrigin(of: request)
    }

    /// Checks that a request comes from no foreign page, and is not too large.
    func checkOrigin(of request: HTTPRequest) throws(Refusal) {
        if let site = request.headers[.fetchSite], site != "same-origin" { throw Self.foreign }
        if let origin = request.headers[.origin] {
            guard let host = request.headers[.host],
                origin == "\(way == .tls ? "https" : "http")://\(host)"
            else {
                throw Self.foreign
            }
        } else if request.headers[.change] == nil {
            throw Refusal(
                403,
                "A change needs the header X-Rocket-Admin: 1, or a browser's Origin of this page. Add "
                    + "-H 'X-Rocket-Admin: 1' to the command.")
        }
        if request.repeated.contains(.origin) { throw Self.foreign }
        if request.isBodyTooLarge {
            throw Refusal(
                413,
                "The body is larger than \(MicrohttpdServer.Limits.bodyBytes) bytes: send the fields of "
                    + "the form only.")
        }
    }

    private static let foreign = Refusal(
        403, "The request comes from another page: change things from this page, or by a command.")
}

/// Which users may ask by a Unix socket. A value.
struct PeerPolicy: Sendable {
    /// That of this process.
    let ownUID: UInt32
    /// The group whose members may ask, too; nil: none.
    let groupID: UInt32?

    /// Returns whether the peer may ask.
    ///
    /// - Parameter isInGroup: whether it is in the group, also by a supplementary one.
    func allows(_ peer: PeerCredentials, isInGroup: (UInt32) -> Bool) -> Bool {
        if peer.userID == 0 || peer.userID == ownUID { return true }
        return groupID.map(isInGroup) ?? false
    }
}
