public import RocketBase
import RocketJournal

extension LogSystem {
    /// The log as `root/log` of a configuration says, in files, on the console or in the journal.
    ///
    /// - Throws: `ProgramFailure` where its files can't be opened.
    public static func open(_ config: RocketConfig) throws(ProgramFailure) -> LogSystem {
        do { return try LogSystem(withJournal: LogConfiguration(config.log)) } catch {
            throw ProgramFailure("cannot open the log in \(config.log.filePath): \(error)")
        }
    }
}
