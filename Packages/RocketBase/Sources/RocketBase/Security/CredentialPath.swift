/// Paths of files that systemd passes to a unit (`LoadCredential=`, `SetCredential=`).
public enum CredentialPath {
    /// What such a path begins with in a configuration.
    public static let prefix = "${CREDENTIALS_DIRECTORY}/"

    /// Returns the path with the folder in place of its variable; other paths stay as they are.
    ///
    /// - Parameter folder: the value of CREDENTIALS_DIRECTORY; nil: it is not set.
    public static func resolved(
        _ path: String, in folder: String?
    ) throws(TransportSecurityError) -> String {
        guard path.hasPrefix(prefix) else { return path }
        guard let folder else {
            throw TransportSecurityError(
                .configuration,
                "\(path): CREDENTIALS_DIRECTORY is not set; systemd sets it for units with "
                    + "LoadCredential=")
        }
        return "\(folder)/\(path.dropFirst(prefix.count))"
    }
}
