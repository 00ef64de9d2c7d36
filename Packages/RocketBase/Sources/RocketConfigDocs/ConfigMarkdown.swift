public import RocketBase

/// docs/configuration.md, with a table per section.
public enum ConfigMarkdown {
    /// Returns the text of the document.
    public static func text(of sections: [ConfigDescription]) -> String {
        var first: [String: String] = [:]
        let parts = sections.flatMap(\.flattened).map { section in
            if let path = first[section.type] { return reference(section, to: path) }
            first[section.type] = section.path
            return table(section)
        }
        return ([head] + parts).joined(separator: "\n\n") + "\n"
    }

    private static let head = """
        # Configuration

        <!-- Generated from the schema by rocket_config_docs (make generate); do not edit. -->

        A process reads one XML file, then the environment, which overrides the file. All elements \
        are optional. `conf/rocket.reference.xml` contains all elements with their defaults, for \
        copying. Files of the original project load unchanged.

        - Relative paths are resolved against the folder of the file, also those in the environment.
        - All errors are reported together, each with file, line, column, path, the text found \
        and the allowed values. An unknown element or variable is a warning with the most similar \
        name.
        - `--check-config` prints each value with its origin: default, file:line, or variable. It checks \
        all that a start checks of the configuration; with `--quiet` it prints only errors and \
        warnings. A program that can't start because of its configuration ends with status 78 \
        (docs/guides/systemd.md, "Mistakes").
        - Changes of *live* values take effect on reload (SIGHUP). Other changes need a *restart*; \
        the reload logs them.
        - A section whose element is missing exists if one of its variables is set: \
        `ROCKET_SERVER_TLS_CERTIFICATE` and `ROCKET_SERVER_TLS_KEY` turn TLS on.
        - In the variables of a stub, NAME is the name of the stub in upper case, with all \
        characters but letters and digits replaced by `_`. The file must contain the stub.
        - The file is well-formed XML in UTF-8. Other bytes, `&` or `<` without a meaning, and \
        references to no character (`&nbsp;`, `&#0;`) are errors with line and column; a variable \
        that is not UTF-8 is an error with its name and the offset of the byte. A pipe or FIFO must \
        be written within 5 s.
        - The names of two stubs must differ in a letter or a digit: otherwise both have the same \
        variables.
        - Files of up to 1 MiB are read, with up to 32 levels of elements.
        """

    /// The text of a section whose elements are those of another one.
    private static func reference(_ section: ConfigDescription, to path: String) -> String {
        "## root/\(section.path)\n\nThe elements of root/\(path). In Swift: `\(section.type)`."
    }

    private static func table(_ section: ConfigDescription) -> String {
        let rows = section.fields.map { field in
            let cells = [
                "`\(field.name)`", field.defaultWithUnit, field.allowed, field.change.rawValue,
                field.variable.isEmpty ? "" : "`\(field.variable)`", field.summary,
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
