import RocketBase
import RocketRPC

/// Health-checks a running server. Intended for start-up scripts.
public enum HealthProbe {
    /// Calls `rocket.Health.check` of the server at `address`. A server without this service is
    /// healthy if it answers.
    ///
    /// - Parameter address: `HOST:PORT`.
    /// - Throws: `ProgramFailure` if the server does not answer within 10 s, or if its status is not
    ///   `serving`.
    public static func check(_ address: String) async throws(ProgramFailure) {
        do {
            let channel = try RPCChannel(to: address, config: RocketConfig())
            let health = RPCHealthClient(channel)
            let reply = try await health.check(RPCHealthCheckRequest(), timeout: .seconds(10))
            guard reply.status == .serving else {
                throw ProgramFailure("\(address) reports the status \(reply.status)")
            }
        } catch let failure as ProgramFailure {
            throw failure
        } catch let error as RPCError where error.code == .serviceNotFound {
            return
        } catch {
            throw ProgramFailure("\(address) does not answer: \(error)")
        }
    }
}
