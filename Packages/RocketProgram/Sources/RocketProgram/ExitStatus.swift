/// The statuses with which Rocket's programs end, so that a script or a service manager can tell what
/// to do. They follow sysexits.h(3head) of BSD.
public struct ExitStatus: RawRepresentable, Hashable, Sendable {
    /// 0 to 255.
    public let rawValue: Int32

    /// Creates a status of another meaning.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Success.
    public static let success = ExitStatus(rawValue: 0)
    /// Any failure without a status of its own.
    public static let failure = ExitStatus(rawValue: 1)
    /// The command line is wrong (EX_USAGE).
    public static let usage = ExitStatus(rawValue: 64)
    /// Stored data is damaged, or input has the wrong form (EX_DATAERR).
    public static let dataError = ExitStatus(rawValue: 65)
    /// What was named does not exist or can't be read: an input file, a service of a server
    /// (EX_NOINPUT).
    public static let noInput = ExitStatus(rawValue: 66)
    /// The peer is away: no connection, or no reply in time (EX_UNAVAILABLE).
    public static let unavailable = ExitStatus(rawValue: 69)
    /// A file, folder or socket can't be created (EX_CANTCREAT).
    public static let cannotCreate = ExitStatus(rawValue: 73)
    /// Reading or writing failed (EX_IOERR).
    public static let ioError = ExitStatus(rawValue: 74)
    /// The same may succeed later (EX_TEMPFAIL).
    public static let temporaryFailure = ExitStatus(rawValue: 75)
    /// Not permitted, by the system or by the peer (EX_NOPERM).
    public static let notPermitted = ExitStatus(rawValue: 77)
    /// The configuration is wrong (EX_CONFIG).
    public static let configuration = ExitStatus(rawValue: 78)
}
