// SPDX-License-Identifier: LGPL-2.1-or-later
// The active policies as one text to edit, and how to save an edited text.
const DIRECTORY = "/etc/memonline/policy.d";

/** One text equivalent to all policies: the first matching rule applies, across files, too.
    Lines end as in a textarea, whatever editor wrote the files: otherwise the editor's text would
    never equal the active one. */
export function joined(policies) {
    const textOf = ({ policy, withheld }) => policy ?? `# ${withheld}\n`;
    const text = policies.length === 1 ? textOf(policies[0])
        : policies.map(policy => `# ${policy.path}\n${textOf(policy)}`).join("\n");
    return text.replace(/\r\n?/g, "\n");
}

/** The file to save a text as, and the commands that disable the policies it replaces. */
export function waysToKeep(policies) {
    const own = ({ path }) => path.includes(`${DIRECTORY}/`);
    if (policies.length === 1 && own(policies[0]) && policies[0].path.endsWith(".mempolicy"))
        return { file: policies[0].path, commands: [] };
    const commands = policies.map(policy => {
        const name = policy.path.slice(policy.path.lastIndexOf("/") + 1);
        return own(policy) ? `mv ${policy.path} ${policy.path}.off` : `ln -s /dev/null ${DIRECTORY}/${name}`;
    });
    return { file: `${DIRECTORY}/50-local.mempolicy`, commands };
}
