import CRocketMicrohttpd
import RocketSystem
import RocketTCP

/// The listening socket of the page. Owns the file of a Unix socket; the descriptor is passed on.
struct AdminSocket: ~Copyable {
    /// The address that it is bound to: port 0 is resolved.
    let address: NetAddress
    let descriptor: FileDescriptor
    private let file: File?

    /// The file that binding has created, for its removal.
    struct File: Sendable {
        let path: String
        let identity: SocketFile.Identity

        /// Removes the file, unless another one has taken its path.
        func remove() {
            try? SocketFile.withFolderLocked(of: path) { () throws(SystemError) in
                if try SocketFile.identity(of: path) == identity { try SocketFile.remove(path) }
            }
        }
    }

    /// The most connections that wait to be accepted.
    private static let backlog = 64
    /// The owner and the group may connect.
    private static let mode: UInt32 = 0o660

    /// Binds to the address and listens, in place of the file that a crashed server has left.
    ///
    /// - Parameter groupID: owns the file; nil: the group of the process.
    static func open(_ address: NetAddress, groupID: UInt32?) throws(SystemError) -> AdminSocket {
        let socket = try FileDescriptor.streamSocket(for: address.socketAddress)
        guard case .unix(let path) = address.socketAddress else {
            if !address.isUnix { try socket.setReuseAddress(true) }
            if case .ipv6 = address.socketAddress { try socket.setIPv6Only(true) }
            try socket.bind(to: address.socketAddress)
            try socket.listen(backlog: backlog)
            let actual = NetAddress(try socket.localAddress())
            return AdminSocket(address: actual, descriptor: socket, file: nil)
        }
        let file = try bindFile(socket, path, address, groupID)
        return AdminSocket(address: address, descriptor: socket, file: file)
    }

    /// One server at a time in each folder: one that has bound and does not listen yet looks like a
    /// stale file.
    private static func bindFile(
        _ socket: borrowing FileDescriptor, _ path: String, _ address: NetAddress,
        _ groupID: UInt32?
    ) throws(SystemError) -> File {
        try SocketFile.withFolderLocked(of: path) { () throws(SystemError) -> File in
            try SocketFile.removeStale(path, at: address.socketAddress)
            try socket.bind(to: address.socketAddress)
            let file = File(path: path, identity: try SocketFile.identity(of: path))
            do throws(SystemError) {
                // No peer connects in between: before listen, connects are refused.
                if let groupID, unsafe rocket_httpd_set_group(path, groupID) != 0 {
                    throw SystemError("chown \(path) to the group \(groupID)", .current)
                }
                try SocketFile.setMode(mode, of: path)
                try socket.listen(backlog: backlog)
            } catch {
                try? SocketFile.remove(path)
                throw error
            }
            return file
        }
    }

    /// Passes the descriptor on, and the file, which is to be removed after its end.
    consuming func release() -> (descriptor: Int32, file: File?) {
        let file = file
        return (descriptor.release(), file)
    }
}

/// A group of users, by its name or number.
enum UserGroup {
    /// Returns the id of a group; nil: there is no such group. May block on a directory service.
    static func id(of name: String) throws(SystemError) -> UInt32? {
        if let number = UInt32(name) { return number }
        var id: UInt32 = 0
        switch unsafe rocket_httpd_group_id(name, &id) {
        case 0: return id
        case 1: return nil
        default: throw SystemError("getgrnam \(name)", .current)
        }
    }
}
