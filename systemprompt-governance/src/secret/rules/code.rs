//! Code hosting, package registries and build systems.

use super::Rule;
use crate::secret::rule::Checksum;

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        "github-token",
        "GitHub",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"gh[pousr]_([A-Za-z0-9]{30,}|[0-9]{1,12}_eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})",
    )
    .checksum(Checksum::Crc32Base62),
    Rule::new("github-fine-grained-token", "GitHub", &["github_pat_"], r"github_pat_[A-Za-z0-9_]{36,}"),
    Rule::new(
        "gitlab-token",
        "GitLab",
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-", "glffct-"],
        r"gl(pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_-]{20,}(\.[0-9a-z]{2}\.[a-z0-9]{9})?",
    ),
    Rule::new("gitlab-runner-registration", "GitLab", &["GR1348941"], r"GR1348941[A-Za-z0-9_-]{20,50}"),
    Rule::new("bitbucket-token", "Bitbucket", &["ATBB", "ATCTT3"], r"(ATBB[A-Za-z0-9]{32}|ATCTT3[A-Za-z0-9+/=_-]{60,})").word(),
    Rule::new("atlassian-api-token", "Atlassian", &["ATATT3"], r"ATATT3[A-Za-z0-9+/=_-]{60,}"),
    Rule::new("npm-token", "npm", &["npm_"], r"npm_[A-Za-z0-9]{36}").checksum(Checksum::Crc32Base62),
    Rule::new("pypi-token", "PyPI", &["pypi-"], r"pypi-[A-Za-z0-9_-]{60,}"),
    Rule::new("crates-io-token", "crates.io", &["cio"], r"cio[A-Za-z0-9]{32}").word().closed().digit(),
    Rule::new("rubygems-token", "RubyGems", &["rubygems_"], r"rubygems_[a-f0-9]{48}"),
    Rule::new("nuget-api-key", "NuGet", &["oy2"], r"oy2[a-z0-9]{43}").word().closed(),
    Rule::new("docker-token", "Docker", &["dckr_pat_", "dckr_oat_"], r"dckr_[po]at_[A-Za-z0-9_-]{24,40}"),
    Rule::new("clojars-token", "Clojars", &["CLOJARS_"], r"CLOJARS_[a-f0-9]{60}"),
    Rule::new("jfrog-token", "JFrog", &["AKCp", "cmVmdGtu"], r"(AKCp[A-Za-z0-9]{60,80}|cmVmdGtu[A-Za-z0-9+/]{50,80})"),
    Rule::new("circleci-token", "CircleCI", &["CCIPAT_", "CCIPRJ_"], r"CCIP(AT|RJ)_[A-Za-z0-9]{15,30}_[a-f0-9]{40}"),
    Rule::new("buildkite-token", "Buildkite", &["bkua_", "bkaj_"], r"bk(ua|aj)_[a-z0-9]{36,60}"),
    Rule::new("sourcegraph-token", "Sourcegraph", &["sgp_"], r"sgp_([a-f0-9]{16}_|local_)?[a-f0-9]{40}"),
    Rule::new("sonarqube-token", "SonarQube", &["sqp_", "squ_", "sqa_"], r"sq[pua]_[a-f0-9]{40}"),
    Rule::new("gitea-token", "Gitea", &["gta_"], r"gta_[A-Za-z0-9]{36,64}").word(),
    Rule::new("postman-api-key", "Postman", &["PMAK-"], r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    Rule::new("snyk-token", "Snyk", &["snyk_"], r"snyk_(uat|sat)\.[a-z0-9]{8}\.[A-Za-z0-9_.-]{40,}"),
    Rule::new("vercel-token", "Vercel", &["vcp_", "vci_", "vca_", "vcr_", "vck_"], r"vc[piark]_[A-Za-z0-9_-]{24,}").word().digit(),
    Rule::named("vercel-token", "Vercel", &["vercel"], r"[A-Za-z0-9]{24}"),
    Rule::new("netlify-token", "Netlify", &["nfp_", "nfc_", "nfo_", "nfu_"], r"nf[pcou]_[A-Za-z0-9]{36,40}").word(),
    Rule::named("netlify-token", "Netlify", &["netlify"], r"[A-Za-z0-9_-]{40,46}"),
    Rule::new("supabase-key", "Supabase", &["sbp_", "sb_secret_"], r"(sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{20,60})"),
    Rule::new("prefect-token", "Prefect", &["pnu_", "pnb_"], r"pn[ub]_[A-Za-z0-9]{36}").word(),
    Rule::new("readme-api-key", "ReadMe", &["rdme_"], r"rdme_[a-z0-9]{70}"),
];
