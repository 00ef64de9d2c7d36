import RocketBase
import RocketSystemd

extension Daemon {
    /// Logs a warning for each socket passed by systemd that the program does not use.
    ///
    /// - Parameter name: the FileDescriptorName of the sockets that it uses, which those without a
    ///   name are, too.
    public func logUnusedSockets(otherThan name: String) {
        for socket in sockets.unclaimed(by: name) {
            logs.app.warn("socket passed by activation is not used") {
                $0.add("name", socket.name)
            }
        }
    }
}
