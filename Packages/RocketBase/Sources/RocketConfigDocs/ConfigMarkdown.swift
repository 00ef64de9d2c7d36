public import RocketBase

/// docs/configuration.md: a table for each section.
public enum ConfigMarkdown {
    /// The document's text.
    public static func text(of sections: [ConfigDescription]) -> String {
        ([head] + sections.map(table)).joined(separator: "\n\n") + "\n"
    }

    private static let head = """
        # Configuration

        <!-- Generated from the schema by rocket_config_docs (make generate); do not edit. -->

        A process reads one XML file, then the environment, which wins. Everything may be left \
        out. `conf/rocket.reference.xml` is this page as a file to copy from; the original \
        project's files load unchanged.

        - Relative paths are relative to the file's folder, in the environment too.
        - All errors are reported together, each with file, line, column, path, what was found \
        and what is allowed. An unknown element or variable is a warning that names the nearest.
        - `--check-config` prints every value with where it came from: default, file:line, \
        or variable.
        - *live* values take effect on reload (SIGHUP); the others need a *restart*, and the \
        reload says so.
        - In the variables of a stub, NAME is its name in upper case, anything but letters and \
        digits replaced by `_`; the stub has to be in the file.
        - The reader takes files of up to 1 MiB, nested up to 32 deep.
        """

    private static func table(_ section: ConfigDescription) -> String {
        let rows = section.fields.map { field in
            let cells = [
                "`\(field.name)`", field.defaultWords, field.allowed, field.change.rawValue,
                field.name == "name" && section.path.hasPrefix("stubs/")
                    ? "" : "`\(field.variable)`",
                field.summary,
            ]
            return "| " + cells.joined(separator: " | ") + " |"
        }
        return """
            ## root/\(section.path)

            \(section.summary) In Swift: `\(section.type)`.

            | element | default | allowed | changes | environment | meaning |
            |---|---|---|---|---|---|
            \(rows.joined(separator: "\n"))
            """
    }
}
