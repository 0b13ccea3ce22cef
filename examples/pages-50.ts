/**
 * Fifty pages made by others, MIT-licensed, from the npm packages `startbootstrap-*`: real markup with real weight, fonts and
 * scripts asked for from elsewhere. Each page has a host of its own, as fifty competitors would.
 */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  agency: ["dist/index.html"],
  bare: ["dist/index.html"],
  "blog-home": ["dist/index.html"],
  "blog-post": ["dist/index.html"],
  "business-casual": ["dist/index.html", "dist/about.html", "dist/products.html", "dist/store.html"],
  "business-frontpage": ["dist/index.html"],
  "clean-blog": ["dist/index.html", "dist/about.html", "dist/contact.html", "dist/post.html"],
  "coming-soon": ["dist/index.html"],
  creative: ["dist/index.html"],
  freelancer: ["dist/index.html"],
  "full-width-pics": ["dist/index.html"],
  grayscale: ["dist/index.html"],
  "heroic-features": ["dist/index.html"],
  "landing-page": ["dist/index.html"],
  "modern-business": [
    "dist/index.html",
    "dist/about.html",
    "dist/blog-home.html",
    "dist/blog-post.html",
    "dist/contact.html",
    "dist/faq.html",
    "dist/portfolio-item.html",
    "dist/portfolio-overview.html",
    "dist/pricing.html",
  ],
  "new-age": ["dist/index.html"],
  "one-page-wonder": ["dist/index.html"],
  personal: ["dist/index.html", "dist/contact.html", "dist/projects.html", "dist/resume.html"],
  "portfolio-item": ["index.html"],
  resume: ["dist/index.html"],
  "round-about": ["index.html"],
  "sb-admin": ["dist/index.html", "dist/charts.html", "dist/tables.html"],
  "sb-admin-2": ["index.html", "cards.html", "buttons.html", "tables.html"],
  "shop-homepage": ["dist/index.html"],
  "shop-item": ["dist/index.html"],
  "simple-sidebar": ["dist/index.html"],
  "small-business": ["dist/index.html"],
  "stylish-portfolio": ["dist/index.html"],
};

export interface PackagePage {
  readonly host: string;
  /** The npm package that holds the page. */
  readonly package: string;
  /** Folder in the package that is the site's root. */
  readonly root: string;
  readonly url: string;
}

export const FIFTY_PAGES: readonly PackagePage[] = Object.entries(PAGES).flatMap(([name, files]) =>
  files.map((file) => {
    const page = file.slice(file.lastIndexOf("/") + 1);
    const label = page === "index.html" ? name : `${page.replace(".html", "")}.${name}`;
    const host = `${label}.startbootstrap.example`;
    return {
      host,
      package: `startbootstrap-${name}`,
      root: file.startsWith("dist/") ? "dist" : ".",
      url: page === "index.html" ? `http://${host}/` : `http://${host}/${page}`,
    };
  }),
);
