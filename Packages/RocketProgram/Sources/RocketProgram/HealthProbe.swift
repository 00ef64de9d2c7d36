import RocketBase
import RocketRPC

/// Asks a running server whether it answers calls: for scripts that have started it.
public enum HealthProbe {
    /// Calls rocket.Health of the server at `address`. Whoever answers is there: a server without
    /// that service as well.
    ///
    /// - Throws: `ProgramFailure` when no answer comes within 10 s, or the server says that it
    ///   serves nothing (any more).
    public static func ask(_ address: String) async throws(ProgramFailure) {
        do {
            let channel = try RPCChannel(to: address, config: RocketConfig())
            let health = RPCHealthClient(channel)
            let reply = try await health.check(RPCHealthCheckRequest(), timeout: .seconds(10))
            guard reply.status == .serving else {
                throw ProgramFailure("\(address) answers that it is \(reply.status)")
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
