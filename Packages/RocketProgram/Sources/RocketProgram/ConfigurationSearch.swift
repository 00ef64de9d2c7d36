import RocketSystem

extension ConfigurationFile {
    /// The folder of the configurations that `make install` and the packages install.
    public static let installedFolder = "/etc/rocket"

    /// Returns the configuration that a command reads: the one of the command line; else the one of
    /// the current folder, where a developer has it; else the installed one.
    ///
    /// - Parameters:
    ///   - given: the path of the command line, which is returned unchecked; nil: there is none.
    ///   - local: a path in the current folder: `conf/rocket.xml`.
    ///   - installed: an absolute path: `/etc/rocket/order_server.xml`.
    ///   - option: how a user names a path, for the error: `--config FILE`.
    ///   - root: is prepended to `installed`, in tests.
    ///   - folder: the current folder, in tests.
    /// - Throws: `ProgramFailure` (configuration) that names both files if neither exists. A file
    ///   that exists and can't be read is returned, so that reading it reports why.
    public static func find(
        _ given: String?, local: String, installed: String, option: String, root: String = "",
        folder: String = ""
    ) throws(ProgramFailure) -> String {
        if let given { return given }
        for path in [folder + local, root + installed] where FileSystem.mayExist(path) {
            return path
        }
        throw ProgramFailure(
            "there is no configuration: neither \(local) in this folder nor \(installed) exists; "
                + "name one: \(option)", status: .configuration)
    }
}
