import RocketBase
public import RocketNATS
import RocketProgram
import RocketSystem
import RocketTCP

/// What connects the servers of a room. A value.
public struct ChatBackplaneConfiguration: Sendable {
    /// The servers of NATS, credentials, TLS, limits. `echo` and `name` are set by the chat.
    public var nats: NATSConfiguration
    /// Servers with one NATS and one name of a room share their messages: 1 to 100 letters, digits,
    /// `_` and `-`. Default `main`.
    public var room = "main"
    /// The name of this server, which the names of its clients end with: 1 to 100 letters, digits, `.`,
    /// `_` and `-`. Of two servers with one name the later one takes another.
    public var serverName: String
    /// How often the server announces itself; a hole at the end of its messages is noticed by that.
    /// After 7 s without it does not count as there. Default 2 s.
    public var heartbeat = Duration.seconds(2)
    /// How long NATS must be lost before the members are told. Default 1 s.
    public var lossNoticeAfter = Duration.seconds(1)

    /// Creates the defaults. The waits between attempts to connect are 2 s at most, and a server of NATS
    /// that does not answer for 4 to 6 s counts as lost.
    public init(nats: NATSConfiguration, serverName: String) {
        self.nats = nats
        // Members wait for the others: soon after NATS is back they are to be reached.
        self.nats.backOff.most = .seconds(2)
        self.nats.pingInterval = .seconds(2)
        self.serverName = serverName
    }

    /// From `root/chat` of a configuration; nil: `chat/backplane` is empty.
    ///
    /// - Parameters:
    ///   - security: makes what protects the connections; nil: a backplane with TLS is an error.
    ///   - readsFiles: false: credentials and certificates are not read, and the result is good for
    ///     checking only.
    /// - Throws: `NATSConfigurationError`, `TransportSecurityError` or `SystemError` with what is wrong.
    init?(
        _ chat: ChatConfig, security: (any TransportSecurityProvider)?, readsFiles: Bool
    ) throws {
        guard let text = chat.backplane else { return nil }
        let url = try NATSURL(parsing: text)
        guard url.user.isEmpty, url.password == nil else {
            throw ChatBackplaneError(
                "chat/backplane has a user, and configurations are printed; put it into the file of "
                    + "chat/backplane_credentials")
        }
        let usesTLS = chat.backplaneCA != nil || chat.backplaneCertificate != nil
        if usesTLS, !url.requiresTLS {
            throw ChatBackplaneError(
                "chat/backplane begins with nats://, so backplane_ca and backplane_certificate have "
                    + "no effect; use tls://")
        }
        self.init(
            nats: NATSConfiguration(url),
            serverName: chat.serverName ?? Self.hostName() ?? "server")
        nats.lookup = ProgramNames.hosts
        room = chat.room
        try check()
        if !readsFiles { return }
        if let file = chat.backplaneCredentials {
            nats.credentials = try Self.credentials(inFile: file)
        }
        if !url.requiresTLS { return }
        let path = "chat/backplane"
        guard let security else { throw TransportSecurityError.noProvider(at: path) }
        var tls = StubTLSConfig()
        tls.ca = chat.backplaneCA
        tls.certificate = chat.backplaneCertificate
        tls.key = chat.backplaneKey
        nats.security = try security.clientSecurity(tls, at: path)
    }

    /// The subject of the room.
    var subject: NATSSubject {
        get throws(NATSConfigurationError) { try NATSSubject("rocket.chat.\(room)") }
    }

    /// - Throws: what is wrong with the names.
    func check() throws {
        let subject = try self.subject
        if subject.hasWildcards { throw ChatBackplaneError("the room \(room) has a wildcard") }
        if serverName.utf8.count <= 100, BackplaneHeader.isName(serverName) { return }
        throw ChatBackplaneError(
            "the server's name \"\(serverName)\" is not 1 to 100 letters, digits, '.', '_' or '-'")
    }

    /// The machine's name, if it may be that of a server.
    private static func hostName() -> String? {
        let bytes = try? FileContents.read("/etc/hostname", limit: 4096)
        let name = String(decoding: (bytes ?? []).filter { $0 > 0x20 }, as: UTF8.self)
        return BackplaneHeader.isName(name) ? name : nil
    }

    /// Reads one line: the seed of an NKEY, or a name and a password, or a token.
    private static func credentials(inFile file: String) throws -> NATSCredentials {
        let folder = ProcessEnvironment.current["CREDENTIALS_DIRECTORY"]
        let path = try CredentialPath.resolved(file, in: folder)
        if let status = try FileSystem.status(of: path) {
            // One of root's may be readable by its group, as a credential of systemd is.
            let others: UInt32 = status.uid == 0 ? 0o037 : 0o077
            guard status.mode & others == 0 else {
                throw ChatBackplaneError(
                    "\(path) has the mode 0\(String(status.mode, radix: 8)); expected is 0600, or "
                        + "0640 for a file of root's: others could use what is in it")
            }
        }
        let bytes = try FileContents.read(path, limit: 4096)
        let lines = bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        guard bytes.count <= 4096, lines.count == 1,
            let line = String(validating: lines[0], as: UTF8.self)
        else {
            throw ChatBackplaneError(
                "\(path): expected is one line: an NKEY's seed (SU…), or NAME:PASSWORD, or a token")
        }
        if line.hasPrefix("SU"), line.utf8.count == 58 { return .key(try NATSKey(seed: line)) }
        let words = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if words.count == 2 { return .user(String(words[0]), password: String(words[1])) }
        return .token(line)
    }
}

/// What is wrong with the backplane of a configuration. A value.
struct ChatBackplaneError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
