import FoundationEssentials
import RocketBase

extension HealthReport {
    /// The status with which a program ends that reports this.
    public var exitStatus: ExitStatus {
        switch state {
        case .serving, .answering: .success
        case .notServing: .temporaryFailure
        case .notFound: .noInput
        case .refused: .notPermitted
        case .down: .unavailable
        }
    }

    /// The section of a command's help that lists the statuses.
    public static var exitStatusHelp: String {
        """
        EXIT STATUS:
          0   SERVING; without SERVICE also a server without rocket.Health
          64  The command line is wrong.
          66  The server has no such service, or does not tell its health.
          69  Down: nothing listens, no route, or no answer within the time-out.
          75  NOT_SERVING: it can't do its work now.
          77  Refused: the server is overloaded, or the check is not permitted.
          78  The configuration is wrong or missing.
          --nagios  0 OK, 2 CRITICAL (69, 75, 77), 3 UNKNOWN (64, 66, 78)
        """
    }

    private var subject: String { service.isEmpty ? "server" : TerminalText.safe(service) }

    /// `order (127.0.0.1:12345): Order is SERVING`
    public var text: String {
        "\(TerminalText.safe(target)): \(subject) \(TerminalText.safe(detail))"
    }

    private var milliseconds: Double {
        let microseconds = max(0, time / .microseconds(1)).rounded()
        return microseconds / 1000
    }

    /// One JSON object on one line, keys sorted.
    public func json() throws -> String {
        struct Object: Encodable {
            let service, target, state, detail: String
            let reason: String?
            let exit_status: Int32
            let time_ms: Double
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let object = Object(
            service: service, target: target, state: state.rawValue, detail: detail,
            reason: reason?.rawValue, exit_status: exitStatus.rawValue, time_ms: milliseconds)
        return TerminalText.safeJSON(
            String(decoding: try encoder.encode(object), as: UTF8.self))
    }

    /// The line and the status of a plugin of Nagios or Icinga, by the Monitoring Plugins
    /// guidelines: `ROCKET OK - Order is SERVING | time=0.0012s;;;0`.
    public var nagios: (line: String, status: ExitStatus) {
        let status: NagiosStatus =
            switch state {
            case .serving, .answering: .ok
            case .notServing, .refused, .down: .critical
            case .notFound: .unknown
            }
        let tenths = Int((milliseconds * 10).rounded())
        let seconds = "\(tenths / 10_000).\(String(10_000 + tenths % 10_000).dropFirst())"
        let line = Self.nagiosLine(status, "\(subject) \(detail)")
        return ("\(line) | time=\(seconds)s;;;0", status.exitStatus)
    }

    /// A line without performance data.
    static func nagiosLine(_ status: NagiosStatus, _ text: String) -> String {
        // A vertical bar would begin the performance data.
        "ROCKET \(status.rawValue) - \(TerminalText.safe(text).replacing("|", with: "/"))"
    }
}

/// A status of the Monitoring Plugins guidelines.
enum NagiosStatus: String {
    case ok = "OK"
    case critical = "CRITICAL"
    case unknown = "UNKNOWN"

    var exitStatus: ExitStatus {
        switch self {
        case .ok: .success
        case .critical: ExitStatus(rawValue: 2)
        case .unknown: ExitStatus(rawValue: 3)
        }
    }
}
