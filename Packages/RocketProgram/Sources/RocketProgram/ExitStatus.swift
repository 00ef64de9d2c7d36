/// The statuses with which Rocket's programs end, so that a script or a service manager can tell what
/// to do. They follow sysexits.h(3head) of BSD; docs/guides/systemd.md lists them.
public struct ExitStatus: RawRepresentable, Hashable, Sendable {
    /// 0 to 255.
    public let rawValue: Int32

    /// Creates a status of another meaning.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Success.
    public static let success = ExitStatus(rawValue: 0)
    /// Any failure without a status of its own, such as a call that the server refused.
    public static let failure = ExitStatus(rawValue: 1)
    /// The command line is wrong (EX_USAGE).
    public static let usage = ExitStatus(rawValue: 64)
    /// Stored data is damaged, or input has the wrong form, also in a server's opinion (EX_DATAERR).
    public static let dataError = ExitStatus(rawValue: 65)
    /// What was named does not exist or can't be read: an input file, a service of a server, what a
    /// call names (EX_NOINPUT).
    public static let noInput = ExitStatus(rawValue: 66)
    /// The peer is away: no connection, or no reply in time (EX_UNAVAILABLE). Also: a program that
    /// is needed is not installed.
    public static let unavailable = ExitStatus(rawValue: 69)
    /// The peer has an internal error (EX_SOFTWARE).
    public static let internalError = ExitStatus(rawValue: 70)
    /// A file, folder or socket can't be created (EX_CANTCREAT).
    public static let cannotCreate = ExitStatus(rawValue: 73)
    /// Reading or writing failed (EX_IOERR).
    public static let ioError = ExitStatus(rawValue: 74)
    /// The same may succeed later (EX_TEMPFAIL).
    public static let temporaryFailure = ExitStatus(rawValue: 75)
    /// The peer does not speak the protocol, or does not know the method (EX_PROTOCOL).
    public static let protocolError = ExitStatus(rawValue: 76)
    /// Not permitted, by the system or by the peer (EX_NOPERM).
    public static let notPermitted = ExitStatus(rawValue: 77)
    /// The configuration is wrong or missing (EX_CONFIG).
    public static let configuration = ExitStatus(rawValue: 78)

    /// The meaning, for the help of a program; nil for a status that is not listed here.
    var meaning: String? {
        switch self {
        case .success: "Success."
        case .failure: "Any other failure, such as a call that the server refused."
        case .usage: "The command line is wrong."
        case .dataError: "Stored data is damaged, or input has the wrong form."
        case .noInput: "An input file is missing or can't be read."
        case .unavailable: "The peer is away, or a program that is needed is not installed."
        case .internalError: "The server reports an internal error."
        case .cannotCreate: "A file, a folder or a socket can't be created."
        case .ioError: "Reading or writing failed, also on standard output."
        case .temporaryFailure: "The same may succeed later: a limit is reached."
        case .protocolError: "The peer has no such method, or another protocol."
        case .notPermitted: "Not permitted, by the system or by the server."
        case .configuration: "The configuration is wrong or missing."
        default: nil
        }
    }
}
