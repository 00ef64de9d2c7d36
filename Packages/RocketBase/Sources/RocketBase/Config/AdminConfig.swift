/// The page of a running server, its metrics and its state for probes: docs/guides/admin.md.
public struct AdminConfig: ConfigSection, Hashable {
    /// The address of the page, which differs from those of the server: unix:PATH, or a
    /// loopback address, 127.0.0.1:PORT or [::1]:PORT. A Unix socket has the mode 0660, and
    /// only root, the user of the server and the group are answered; on a loopback address
    /// every user of the machine is. Other addresses, IP:PORT, need the element tls, with its
    /// client_ca, and authorization: or forward one with ssh -L. Empty: there is no page.
    ///
    /// `admin/listen`: IP:PORT, [IPv6]:PORT, unix:PATH or unix:@NAME (up to 107 bytes); or
    /// empty. Default none. Needs a restart.
    public var listen: String?
    /// The group, by name or number, that the Unix socket is given to, and whose members are
    /// answered.
    ///
    /// `admin/group`: A text of 1 to 100 characters; or empty. Default none. Needs a restart.
    public var group: String?
    /// Whether the levels of the log can be changed on the page, until the next reload. Nothing
    /// else can be changed.
    ///
    /// `admin/writable`: True or false. Default false. Needs a restart.
    public var isWritable = false
    /// Whether calls can be recorded with their messages, by rocket record, by everyone who may
    /// look at the page. The server writes no file.
    ///
    /// `admin/record`: True or false. Default false. Needs a restart.
    public var allowsRecording = false
    /// Fields of requests and replies whose values never leave the server in a recording, by
    /// the names of the .proto files, with commas between them: password, card.number. A name
    /// means all fields that are called so, card.number those in a field card. If one names no
    /// field of any message, nothing can be recorded.
    ///
    /// `admin/record_mask`: A text of 1 to 2000 characters; or empty. Default none. Needs a
    /// restart.
    public var recordMask: String?
    /// The largest number of connections. Further ones wait until one ends.
    ///
    /// `admin/max_connections`: A whole number, 1 to 1024. Default 32. Needs a restart.
    public var maxConnections = 32
    /// The largest number of connections of one IP address, or of one user of a Unix socket.
    /// Further ones are closed. 0: half of max_connections.
    ///
    /// `admin/max_connections_per_peer`: A whole number, 0 to 1024. Default 0. Needs a restart.
    public var maxConnectionsPerPeer = 0
    /// The longest time for a request, and for sending its answer. A connection that takes
    /// longer, or is not used for as long, is closed.
    ///
    /// `admin/request_timeout_ms`: A whole number of ms, 100 to 3600000. Default 10000 ms.
    /// Needs a restart.
    public var requestTimeout = Duration.milliseconds(10_000)
    /// The memory of a connection for the line and the headers of a request. Longer ones are
    /// refused with 431 or 414.
    ///
    /// `admin/max_header_bytes`: A whole number of bytes, 1024 to 1048576. Default 8192 bytes.
    /// Needs a restart.
    public var maxHeaderBytes = 8192

    /// Who may look at a page with TLS: rules as in root/server/authorization, of the methods
    /// admin.read (all that is shown, metrics and probes included) and admin.change (what
    /// writable is about). For example allow admin.read to dns:ops.example. What no rule allows
    /// is denied.
    ///
    /// `admin/authorization`: 0 to 512 elements named rule; each allow or deny, patterns of
    /// methods, to, patterns of callers, separated by blanks. Default none. Changes live.
    public var authorization: AuthorizationPolicy?
    /// TLS of the page; nil: there is none.
    public var tls: ServerTLSConfig?

    /// All fields have their defaults: there is no page.
    public init() {}
}

extension AdminConfig {
    /// The schema of the `admin` element.
    public static let schema = ConfigSchema<Self>(
        "admin",
        "The page of a running server, its metrics for Prometheus and its state for probes, over "
            + "HTTP/1.1 (docs/guides/admin.md). It takes the product RocketAdmin.",
        [
            .init(
                "listen", \.listen, .optional(.address), .restart,
                "The address of the page, which differs from those of the server: unix:PATH, or a "
                    + "loopback address, 127.0.0.1:PORT or [::1]:PORT. A Unix socket has the mode 0660, "
                    + "and only root, the user of the server and the group are answered; on a loopback "
                    + "address every user of the machine is. Other addresses, IP:PORT, need the element "
                    + "tls, with its client_ca, and authorization: or forward one with ssh -L. Empty: "
                    + "there is no page."),
            .init(
                "group", \.group, .optional(.text(maximum: 100)), .restart,
                "The group, by name or number, that the Unix socket is given to, and whose members are "
                    + "answered."),
            .init(
                "writable", \.isWritable, .boolean, .restart,
                "Whether the levels of the log can be changed on the page, until the next reload. "
                    + "Nothing else can be changed."),
            .init(
                "record", \.allowsRecording, .boolean, .restart,
                "Whether calls can be recorded with their messages, by rocket record, by everyone who "
                    + "may look at the page. The server writes no file."),
            .init(
                "record_mask", \.recordMask, .optional(.text(maximum: 2000)), .restart,
                "Fields of requests and replies whose values never leave the server in a recording, by "
                    + "the names of the .proto files, with commas between them: password, card.number. "
                    + "A name means all fields that are called so, card.number those in a field card. "
                    + "If one names no field of any message, nothing can be recorded."),
            .init(
                "max_connections", \.maxConnections, .integer(1...1024), .restart,
                "The largest number of connections. Further ones wait until one ends."),
            .init(
                "max_connections_per_peer", \.maxConnectionsPerPeer, .integer(0...1024), .restart,
                "The largest number of connections of one IP address, or of one user of a Unix socket. "
                    + "Further ones are closed. 0: half of max_connections."),
            .init(
                "request_timeout_ms", \.requestTimeout, .milliseconds(100...3_600_000), .restart,
                "The longest time for a request, and for sending its answer. A connection that takes "
                    + "longer, or is not used for as long, is closed."),
            .init(
                "max_header_bytes", \.maxHeaderBytes, .bytes(1024...1_048_576), .restart,
                "The memory of a connection for the line and the headers of a request. Longer ones are "
                    + "refused with 431 or 414."),
            .init(
                "authorization", \.authorization, .authorization, .live,
                "Who may look at a page with TLS: rules as in root/server/authorization, of the "
                    + "methods admin.read (all that is shown, metrics and probes included) and "
                    + "admin.change (what writable is about). For example allow admin.read to "
                    + "dns:ops.example. What no rule allows is denied."),
        ],
        elements: [.init(\.tls, .restart)]
    ) { admin in
        // As server/listen is: the whole text would be the path of a socket.
        if let listen = admin.listen, listen.contains(",") {
            return "listen: a page has one address, not a list: \(listen)"
        }
        if let fault = admin.secureFault { return fault }
        if admin.tls == nil, let listen = admin.listen, let fault = fault(of: listen) {
            return "listen: \(fault)"
        }
        if let listen = admin.listen, admin.group != nil, !listen.hasPrefix("unix:") {
            return
                "group is for a Unix socket: a loopback address is open to every user of the machine"
        }
        return nil
    }

    /// Returns why the page can't listen on an address, in the form of the configuration, and what to do;
    /// nil: it can.
    public static func fault(of address: String) -> String? {
        if address.hasPrefix("unix:") {
            guard address.hasPrefix("unix:@") else { return nil }
            return "\(address) is abstract, and has no permissions: use unix:PATH"
        }
        if ConfigAddress.isLoopback(address) { return nil }
        return "\(address) can be reached by other machines, and the page has neither TLS nor "
            + "authorization: give it both (admin/tls, admin/authorization), or use unix:PATH, "
            + "127.0.0.1:PORT or [::1]:PORT, and forward it with ssh -L to look at it from another "
            + "machine"
    }

    /// What is wrong with TLS and authorization; nil: nothing, or there is neither.
    private var secureFault: String? {
        if tls == nil { return authorization == nil ? nil : "authorization needs the element tls" }
        if let listen, listen.hasPrefix("unix:") {
            return "tls is for IP addresses: the peers of a Unix socket are known by the kernel"
        }
        if authorization == nil {
            return "tls needs authorization: rules that say who may look at the page"
        }
        if tls?.clientCA == nil {
            return "tls needs client_ca: without it nobody could prove who they are"
        }
        return nil
    }
}
