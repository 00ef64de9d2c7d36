import RocketBase
import RocketSystem

/// Files with private keys.
enum PrivateKeyFile {
    /// Checks that nobody but its owner can read or write a key. A file of root's may be readable by
    /// its group: Debian's ssl-cert (0640), and credentials of systemd.
    static func check(_ path: String) throws(TransportSecurityError) {
        let status: FileStatus?
        do throws(SystemError) {
            status = try FileSystem.status(of: path)
        } catch { throw TransportSecurityError(.file, "\(path): \(error)") }
        // What is missing is reported by who reads it.
        guard let status else { return }
        let others = status.mode & 0o077
        if others == 0 || (status.uid == 0 && others == 0o040) { return }
        let mode = String(status.mode, radix: 8)
        throw TransportSecurityError(
            .file,
            "\(path): the mode of a private key is 0\(mode), so that others than its owner can use "
                + "it; expected is 0600, or 0640 for a file of root's")
    }
}
